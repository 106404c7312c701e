import Glibc
import Testing

/// A relay whose store is on disk, killed and started again (relay.yaml(5), store.disk).
struct DiskStoreTests {
    private static func run(_ body: (PacketSystem) throws -> Void) throws {
        try PacketSystem.run({ $0.sections.append("store: { disk: { path: data } }") }, body)
    }

    @Test func `packets, their order and tokens survive kill -9`() throws {
        try Self.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            try system.send(["one", "two", "three"], to: "alice", by: bob)
            try system.restart(by: SIGKILL)
            #expect(try system.receive(3, alice).map(\.text) == ["one", "two", "three"])
            try system.send(["four"], to: "alice", by: bob)
            #expect(try system.receive(1, alice).map(\.text) == ["four"])
            #expect(try system.relay.terminate() == .code(0))
        }
    }

    @Test func `a second relay on the same store is refused`() throws {
        try Self.run { system in
            let host = try LoopbackHost.unique()
            var file = RelayFile(host)
            file.sections.append("store: { disk: { path: \(system.folder.path)/data } }")
            let path = try system.folder.write(file.text, to: "second.yaml")
            let second = try RelayProgram.run(["run", "-c", path])
            #expect(second.exit == .code(1))
            #expect(second.errorText.contains("in use by another relay"))
        }
    }

    @Test func `relay check makes no store`() throws {
        try Self.run { system in
            var file = system.file
            file.sections = ["store: { disk: { path: unmade } }"]
            let path = try system.folder.write(file.text, to: "unmade.yaml")
            #expect(try RelayProgram.run(["check", "-c", path]).exit == .code(0))
            #expect(unsafe access("\(system.folder.path)/unmade", F_OK) != 0)
        }
    }

    @Test func `every packet that was answered reaches the backend, killed at any moment`() throws {
        try Self.run { system in
            let tokens = try (0..<4).map { try system.logIn("client-\($0)") }
            for round in 0..<5 {
                let address = system.address
                let workers = tokens.enumerated().map { index, token in
                    Worker {
                        var sent: [String] = []
                        let client = try TestClient(address)
                        for number in 0..<200 {
                            let text = "\(index)-\(round)-\(number)"
                            let packet = Request.packet(token, text, wait: 0).with("X-Silent", "1")
                            guard let answer = try? client.exchange(packet), answer.status == 200
                            else { break }
                            sent.append(text)
                        }
                        return sent
                    }
                }
                try system.backend.waitForRequests { requests in
                    requests.count { $0.message.text.contains("-\(round)-") } >= 20
                }
                try system.restart(by: SIGKILL)
                let answered = try workers.flatMap { try $0.result() }
                #expect(!answered.isEmpty)
                try system.backend.waitForRequests { requests in
                    Set(answered).isSubset(of: requests.map { $0.message.text })
                }
                Self.expectOrder(system, round)
            }
        }
    }

    /// The first copies of each client's packets came in the order in which it sent them.
    private static func expectOrder(_ system: PacketSystem, _ round: Int) {
        var last: [Substring: Int] = [:]
        var seen: Set<String> = []
        for text in system.backend.packets.map(\.message.text) where seen.insert(text).inserted {
            let parts = text.split(separator: "-")
            guard parts.count == 3, parts[1] == "\(round)", let number = Int(parts[2]) else {
                continue
            }
            #expect(number > last[parts[0], default: -1])
            last[parts[0]] = number
        }
    }
}
