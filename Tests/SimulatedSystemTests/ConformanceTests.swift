import Glibc
import RelayEngine
import SimulatedSystem
import Testing

/// The same scripts on Linux and on the simulated system, compared step by step.
///
/// Compared is what a call gave, and, once nothing is on its way, what poll(2) says of every socket,
/// whether bytes are unacknowledged, and what an edge-triggered epoll has reported. Not compared: when
/// things happen, how much fits into a buffer, and on unix sockets, where Linux wakes a writer for
/// every message read, reports that only repeat that a socket is writable.
struct ConformanceTests {
    @Test(arguments: 0..<16 as Range<UInt64>)
    func `Linux and the simulation agree on TCP`(seed: UInt64) throws {
        try self.compare(seed: seed, address: .loopback(port: 0))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `Linux and the simulation agree on unix sockets`(seed: UInt64) throws {
        try self.compare(
            seed: seed,
            address: .unix(path: "/tmp/relay-conformance-\(getpid())-\(seed).sock")
        )
    }

    private func compare(seed: UInt64, address: SocketAddress) throws {
        var generator = SeededGenerator(seed: seed)
        let script = ScriptStep.script(count: 60, using: &generator)
        let simulation = Simulation(seed: seed)
        let simulated = try ScriptRunner(simulation.system, address: address) {
            try simulation.runUntilQuiet()
        }
        let pause = Pause()
        let linux = try ScriptRunner(pause.system, address: address) { pause.wait() }
        defer { linux.finish() }
        for (index, step) in script.enumerated() {
            let place = "seed \(seed), step \(index): \(step)"
            let expected = try linux.run(step)
            let result = try simulated.run(step)
            try #require(result == expected, "\(place)\n\(script[...index])")
            try simulation.runUntilQuiet()
            let model = simulated.observe()
            var real = linux.observe()
            var attempts = 0
            // Linux needs its time: it delays acknowledgements, of FIN too, by up to 40 ms.
            // Equal twice: a wake-up follows what it is about.
            var timesEqual = real == model ? 1 : 0
            while timesEqual < 2, attempts < 1500 {
                pause.wait()
                real = linux.observe(adding: real)
                timesEqual = real == model ? timesEqual + 1 : 0
                attempts += 1
            }
            try #require(model == real, "\(place)\n\(script[...index])")
        }
    }
}

/// Lets Linux work for a moment.
private struct Pause {
    let system = LinuxSystemCalls()
    private let epoll: Descriptor

    init() {
        self.epoll = self.system.createEpoll().descriptor
    }

    /// Gives the kernel a millisecond.
    func wait() {
        _ = RawCalls(system: self.system).wait(self.epoll, milliseconds: 1)
    }
}
