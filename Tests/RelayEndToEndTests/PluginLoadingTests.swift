import Glibc
import Testing

/// Libraries that cannot be plugins, and plugins that cannot be configured: each is a problem of relay.yaml, at its
/// place, for `relay check`, for a start, and for a reload, which the old generation survives.
struct PluginLoadingTests {
    /// Something that is wrong.
    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// The library of this build, or the path of another file.
        var library = "relay_behaving"
        var config = ""
        var stage = ""
        /// What is done to the library's copy.
        var mode = "644"
        var patch: (offset: Int, byte: UInt8)?
        /// What is reported, and at which text of the file.
        let message: String
        var place = "\""
    }

    static let faults = [
        Fault(
            testDescription: "a crash",
            config: "configure: crash",
            message: "crashes while it is configured (Aborted)"
        ),
        Fault(
            testDescription: "a hang",
            config: "configure: hang",
            message: "was not configured within 5 s; it hangs"
        ),
        Fault(
            testDescription: "an end of the process",
            config: "configure: exit",
            message: "ends its process while it is configured (exit 0)"
        ),
        Fault(
            testDescription: "another version",
            library: "relay_foreign",
            message: "is built for version 2.0 of the plugin ABI, not 1.0; build it again"
        ),
        Fault(
            testDescription: "a key that the plugin does not know",
            config: "deep: { key: 1 }",
            message: "plugin 'one': nothing behaves so",
            place: "key"
        ),
        Fault(
            testDescription: "a refusal without a reason",
            config: "configure: fail",
            message: "plugin 'one': it refuses its config, and gives no reason",
            place: "{ configure"
        ),
        Fault(
            testDescription: "a library without an entry",
            library: "/lib/x86_64-linux-gnu/libm.so.6",
            message: "is no plugin: it has no relay_plugin_entry"
        ),
        Fault(
            testDescription: "no library",
            library: "/bin/sh",
            patch: (16, 2),
            message: "is no shared library; link it with -shared"
        ),
        Fault(
            testDescription: "another architecture",
            patch: (18, 8),
            message: "is built for another architecture"
        ),
        Fault(
            testDescription: "no ELF file",
            patch: (1, 0),
            message: "is no shared library (ELF)"
        ),
        Fault(
            testDescription: "a file that others may write",
            mode: "664",
            message: "chmod go-w it"
        ),
        Fault(
            testDescription: "a guard that would be skipped",
            library: "relay_guarding",
            stage: "on_error: skip",
            message: "guards what is behind it; remove 'on_error: skip'",
            place: "{ plugin: one"
        ),
    ]

    @Test(arguments: faults)
    func `is a problem at its place`(fault: Fault) throws {
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        let library = try Self.file(of: fault, in: folder)
        let bad = PluginSystem.text(
            host,
            library: library,
            config: fault.config,
            stage: fault.stage
        )
        let badPath = try folder.write(bad, to: "bad.yaml")
        let place = try Self.place(of: fault.place, in: bad)
        let check = try RelayProgram.run(["check", "-c", badPath])
        #expect(check.exit == .code(78))
        #expect(check.errorText.contains("\(badPath):\(place): error: "), "\(check.errorText)")
        #expect(check.errorText.contains(fault.message), "\(check.errorText)")

        let start = try RelayProgram.run(["run", "-c", badPath])
        #expect(start.exit == .code(78))
        #expect(start.errorText.contains(fault.message), "\(start.errorText)")

        try PluginSystem.run(config: "request: respond") { system in
            let text = PluginSystem.text(
                try LoopbackHost.unique(),
                library: library,
                config: fault.config,
                stage: fault.stage
            )
            try system.rewrite(text)
            system.relay.signal(SIGHUP)
            let line = try system.relay.waitForLine(containing: "reload refused")
            #expect(line.contains(fault.message), "\(line)")
            #expect(try system.exchange(.get("/ping")).text == "by the plugin")
        }
    }

    @Test func `a library that is nowhere is missed where it is named`() throws {
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        try folder.makeFolder("lib")
        let text =
            PluginSystem.text(host, library: "librelay_nothing.so", config: "")
            + "\nplugins_path: [lib]\n"
        let path = try folder.write(text, to: "relay.yaml")
        let check = try RelayProgram.run(["check", "-c", path])
        #expect(check.exit == .code(78))
        #expect(
            check.errorText.contains(
                "error: there is no 'librelay_nothing.so' in '\(folder.path)/lib', '\(folder.path)', '/"
            ),
            "\(check.errorText)"
        )
        try PluginSystem.copy(
            PluginSystem.library("relay_behaving"),
            to: "\(folder.path)/lib/librelay_nothing.so"
        )
        #expect(try RelayProgram.run(["check", "-c", path]).exit == .code(0))
    }

    @Test func `a replaced file is new code at the next reload, and no request fails meanwhile`()
        throws
    {
        try PluginSystem.run("relay_behaving", config: "") { system in
            let isOver = Monitor(false)
            let address = system.address
            let clients = (0..<4).map { _ in
                Worker { try Self.ask(address) { isOver.update { $0 } } }
            }
            let file = "\(system.folder.path)/plugin.so"
            for number in 0..<10 {
                let name = number % 2 == 0 ? "relay_requesttag" : "relay_behaving"
                // Over the old file, and by a new one in its place.
                let copy = number % 4 < 2 ? file : "\(file).new"
                try PluginSystem.copy(PluginSystem.library(name), to: copy)
                if copy != file { #expect(unsafe rename(copy, file) == 0) }
                #expect(try system.relay.reload().status == 200)
                let answer = try system.exchange(.get("/ping"))
                #expect(answer.field("X-Is-Own") == (number % 2 == 0 ? nil : "yes"))
            }
            isOver.update { $0 = true }
            for client in clients { #expect(try client.result() > 0) }
        }
    }

    /// Asks on one connection until it is over; gives the number of answers.
    private static func ask(_ address: Address, until isOver: () -> Bool) throws -> Int {
        let client = try TestClient(address)
        var count = 0
        while !isOver() {
            let answer = try client.exchange(.get("/ping"))
            guard answer.status == 200, answer.text == "pong" else { throw Failure("\(answer)") }
            count += 1
        }
        return count
    }

    /// The library of a fault, as a copy with what is wrong with it.
    private static func file(of fault: Fault, in folder: TemporaryFolder) throws -> String {
        let isPath = fault.library.hasPrefix("/")
        let source = isPath ? fault.library : PluginSystem.library(fault.library)
        let copy = "\(folder.path)/bad.so"
        try PluginSystem.copy(source, to: copy, mode: fault.mode)
        if let (offset, byte) = fault.patch {
            let descriptor = Descriptor(unsafe open(copy, O_WRONLY | O_CLOEXEC))
            defer { descriptor.close() }
            let byte = [byte]
            let count = unsafe byte.withUnsafeBytes { buffer in
                unsafe pwrite(descriptor.value, buffer.baseAddress, 1, off_t(offset))
            }
            try #require(count == 1)
        }
        return copy
    }

    /// Line and column of the first occurrence of a text on the line of the plugin or its stage.
    private static func place(of text: String, in file: String) throws -> String {
        for (index, line) in file.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        where line.contains("library:") || line.contains("plugin: one") {
            guard let range = line.firstRange(of: text) else { continue }
            let column = line.distance(from: line.startIndex, to: range.lowerBound) + 1
            return "\(index + 1):\(column)"
        }
        throw Failure("no '\(text)' in the file")
    }
}
