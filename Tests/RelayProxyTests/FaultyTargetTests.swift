import RelayEngine
import SimulatedSystem
import Testing

/// Many requests over four targets of which at any time at least two are well.
private final class FaultyTargets {
    /// What a target does with a request.
    enum Mode: CaseIterable {
        case well, reset, hang, slow, close, down
        /// Breaks off within the body of its answer.
        case breaksOff
    }

    let bed: StreamingBed
    private var generator: SeededGenerator
    private var modes = [Mode](repeating: .well, count: 4)
    private let faults: [Mode]
    /// How often each request has begun to arrive at a target, by its number.
    private(set) var arrived: [Int: Int] = [:]

    init(seed: UInt64, faults: [Mode]) throws {
        self.generator = SeededGenerator(seed: seed)
        self.faults = faults
        self.bed = try StreamingBed(
            """
                connect_timeout: 200ms
                retry: test
            retry_policies:
              test:
                attempts: 4
                on: [connect, reset, timeout, 503]
                per_try_timeout: 500ms
                backoff: { initial: 10ms, max: 100ms }
                budget: 100%
            """,
            targets: 4,
            up: [0, 1, 2, 3],
            seed: seed
        )
        self.bed.onAccept = { [unowned self] in self.accepted($0, $1) }
    }

    /// Other targets are ill from now on; those that were need the time of an attempt to be well again.
    private func change() {
        let ill = (0..<4).shuffled(using: &self.generator).prefix(2)
        for target in 0..<4 {
            let fault = self.faults.randomElement(using: &self.generator) ?? .well
            self.modes[target] = ill.contains(target) ? fault : .well
        }
    }

    private func accepted(_ target: Int, _ peer: SimulatedPeer) {
        if self.modes[target] == .down { return peer.reset() }
        peer.onReceived = { [unowned self] in self.received(target, $0) }
        peer.onInputEnded = { $0.close() }
    }

    private func received(_ target: Int, _ peer: SimulatedPeer) {
        let text = String(decoding: peer.received, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        let line = text.prefix { $0 != " " && $0 != "\r\n" }
        let number =
            text[..<end.lowerBound].split(separator: "/n")
            .dropFirst().first.flatMap { Int($0.prefix { $0.isNumber }) } ?? -1
        _ = peer.takeReceived()
        self.arrived[number, default: 0] += 1
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\(line)"
        let body = "\(answer)\(String(repeating: "x", count: 12 - line.utf8.count))"
        switch self.modes[target] {
        case .well: peer.send(body)
        case .reset, .down: peer.reset()
        case .hang: break
        case .slow: self.bed.simulation.after(.seconds(2)) { if !peer.isClosed { peer.send(body) } }
        case .close: peer.close()
        case .breaksOff:
            peer.send(String(body.dropLast(5)))
            peer.close()
        }
    }

    /// What became of as many requests, one after the other, each on a connection of its own; `method` for each.
    func run(_ count: Int, method: (Int) -> String) throws -> [String] {
        var answers: [String] = []
        for number in 0..<count {
            self.change()
            let body = method(number) == "POST" ? "Content-Length: 2\r\n\r\nhi" : "\r\n"
            let client = self.bed.simulation.connect(to: .loopback(port: 8080))
            client.send("\(method(number)) /n\(number) HTTP/1.1\r\nHost: a\r\n\(body)")
            try self.bed.simulation.run(for: .seconds(5))
            answers.append(client.text())
            client.close()
        }
        return answers
    }
}

struct FaultyTargetTests {
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `faults before the head of the response are not seen by any GET`(seed: UInt64) throws {
        let targets = try FaultyTargets(seed: seed, faults: [.reset, .hang, .slow, .close, .down])
        for answer in try targets.run(30, method: { _ in "GET" }) {
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "seed \(seed): \(answer)")
        }
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `with faults anywhere a GET succeeds or is visibly broken`(seed: UInt64) throws {
        let faults = FaultyTargets.Mode.allCases.filter { $0 != .well }
        let targets = try FaultyTargets(seed: seed, faults: faults)
        var whole = 0
        for answer in try targets.run(30, method: { _ in "GET" }) {
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "seed \(seed): \(answer)")
            guard let end = answer.firstRange(of: "\r\n\r\n") else { continue }
            if answer[end.upperBound...].utf8.count == 12 { whole += 1 }
        }
        #expect(whole >= 10, "seed \(seed)")
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `no POST is sent twice`(seed: UInt64) throws {
        let faults = FaultyTargets.Mode.allCases.filter { $0 != .well && $0 != .down }
        let targets = try FaultyTargets(seed: seed, faults: faults)
        _ = try targets.run(30) { _ in "POST" }
        #expect(targets.arrived.count == 30, "seed \(seed)")
        #expect(targets.arrived.values.allSatisfy { $0 == 1 }, "seed \(seed): \(targets.arrived)")
    }
}
