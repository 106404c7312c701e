import ArgumentParser
import RelayConfig
import RelayHTTP

/// Where relay is.
struct RelayAddress: ParsableArguments {
    @Option(help: "Where relay listens.")
    var url = "http://127.0.0.1:8080"
}

/// The token of a session.
struct TokenOption: ParsableArguments {
    @Option(help: "The token of the session. Default: the environment variable RELAY_TOKEN.")
    var token: String?

    /// The token, from the option or the environment.
    func required() throws -> String {
        guard let token = self.token ?? Environment.current["RELAY_TOKEN"], !token.isEmpty else {
            throw ValidationError(
                "no token; give --token, or set RELAY_TOKEN to what 'relay client auth' printed"
            )
        }
        return token
    }
}

/// How long relay may hold a request.
struct HoldOption: ParsableArguments {
    @Option(
        help:
            "How many seconds relay may hold the request for a packet; 0 asks for an answer at once."
    )
    var wait: UInt32?

    /// The longest hold that is asked for.
    var longest: Duration { self.wait.map { .seconds(Int64($0)) } ?? .seconds(3600) }

    /// The field that says so; none without the option.
    func fields() throws -> FieldLines {
        var fields = FieldLines()
        if let wait = self.wait { try fields.append("Prefer", "wait=\(wait)") }
        return fields
    }
}

/// What is sent.
struct BodyOption: ParsableArguments {
    @Option(help: "What is sent: BODY itself, @FILE, or - for standard input.")
    var body: String?

    /// More than any relay accepts by default, and no surprise for this machine's memory.
    private static let bytesMax = 1 << 30

    /// The bytes; none without the option.
    func bytes() throws -> [UInt8] {
        guard let body = self.body else { return [] }
        return try Self.read(body)
    }

    /// The bytes that an argument means.
    static func read(_ argument: String) throws -> [UInt8] {
        if argument == "-" {
            guard let bytes = StandardStream.input.readAll(bytesMax: self.bytesMax) else {
                throw ClientRefusal(reason: "cannot read standard input, or it is above 1 GiB")
            }
            return bytes
        }
        guard argument.hasPrefix("@") else { return Array(argument.utf8) }
        let path = String(argument.dropFirst())
        do {
            let bytes = try DiskFiles().contents(of: path, bytesMax: self.bytesMax)
            guard bytes.count <= self.bytesMax else {
                throw ClientRefusal(reason: "'\(path)' is above 1 GiB")
            }
            return bytes
        } catch let problem as FileProblem {
            throw ClientRefusal(reason: "cannot read '\(path)': \(problem.reason)")
        }
    }
}

/// Header fields that the command line gives, as lines.
struct FieldLines {
    /// Complete field lines.
    private(set) var bytes: [UInt8] = []

    /// Adds a field; an error names what cannot stand in one.
    mutating func append(_ name: String, _ value: String) throws {
        let nameBytes = Array(name.utf8)
        let valueBytes = Array(value.utf8)
        guard nameBytes.span.isToken else {
            throw ValidationError("'\(name)' is no name of a header")
        }
        guard valueBytes.span.isFieldValue else {
            throw ValidationError(
                "the value of '\(name)' holds a control character, or blanks at its ends"
            )
        }
        self.bytes.appendField(nameBytes.span, valueBytes.span)
    }

    /// Adds a field as `Name: value`.
    mutating func append(_ header: String) throws {
        guard let colon = header.firstIndex(of: ":") else {
            throw ValidationError("'\(header)' is no header; write 'X-Name: value'")
        }
        let value = header[header.index(after: colon)...].drop { $0 == " " }
        try self.append(String(header[..<colon]), String(value))
    }
}
