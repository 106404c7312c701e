import RelayHTTP
import RelayPipeline
import RelayStore

/// What a backend answers to a login, while it comes in, and what that means.
struct LoginAnswer {
    private(set) var status: UInt16 = 0
    private(set) var retryAfterSeconds: UInt32 = 0

    /// Its fields that are carried to the client, as they came.
    private(set) var fields: [UInt8] = []

    /// Its body: the token, if the login is granted.
    private(set) var body: [UInt8] = []

    /// The clients whose sessions it ends, whatever its status.
    private(set) var endedSessions: [ClientName] = []

    /// The id of the client that it lets in.
    private(set) var client: ClientName?

    /// Whether its `Permissions` name the one of debug servers; nil without such a field.
    private(set) var grantsDebugging: Bool?

    /// A token's largest size, in bytes.
    static let tokenBytesMax = 4096

    /// What the answer means.
    enum Verdict: Equatable {
        /// The client is logged in, with the token at this range of the body.
        case granted(ClientName, token: Range<Int>)
        /// 401 or 403, to be passed on.
        case denied
        /// This target cannot serve now: 503.
        case unavailable
        /// It is no answer to a login; why, for the log.
        case unusable(String)
    }

    /// The head has come.
    mutating func begin(
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        kept: KeptNames,
        at now: StoreInstant
    ) {
        self = LoginAnswer()
        self.status = head.status
        if head.fields.contains(.endSession) {
            self.endedSessions = SessionEnds.clients(head.fields, in: bytes)
        }
        switch head.status {
        case 200:
            if let value = head.fields.value(of: .clientID), !head.fields.isRepeated(.clientID) {
                self.client = ClientName(bytes.extracting(value))
            }
            self.grantsDebugging = Permission.isDebugging(in: head.fields, bytes)
            CarriedFields.appendResponse(kept, of: head, bytes, to: &self.fields)
        case 401, 403:
            CarriedFields.appendResponse(kept, of: head, bytes, to: &self.fields)
        case 503:
            if let value = head.fields.value(of: .retryAfter) {
                let seconds = FieldValue.retryAfterSeconds(
                    bytes.extracting(value),
                    at: Int64(clamping: now.unixMicroseconds / 1_000_000)
                )
                self.retryAfterSeconds = seconds ?? 0
            }
        default:
            break
        }
    }

    /// A piece of the body has come; kept only if the client gets it.
    mutating func append(_ piece: Span<UInt8>) {
        switch self.status {
        case 200, 401, 403: self.body.append(piece)
        default: break
        }
    }

    /// The answer is complete.
    var verdict: Verdict {
        switch self.status {
        case 200: self.verdictOfSuccess
        case 401, 403: .denied
        case 503: .unavailable
        default: .unusable("status \(self.status)")
        }
    }

    private var verdictOfSuccess: Verdict {
        guard let client else { return .unusable("no single valid Client-Id") }
        let token = self.tokenRange
        guard !token.isEmpty else { return .unusable("empty token") }
        guard token.count <= Self.tokenBytesMax else {
            return .unusable("token above \(Self.tokenBytesMax) bytes")
        }
        guard !self.body[token].contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            return .unusable("control byte in the token")
        }
        // Controls above ASCII take two bytes in UTF-8 (U+0080 to U+009F).
        guard let text = String(validating: self.body[token], as: UTF8.self) else {
            return .unusable("token is not UTF-8")
        }
        guard !text.unicodeScalars.contains(where: { 0x80...0x9F ~= $0.value }) else {
            return .unusable("control character in the token")
        }
        return .granted(client, token: token)
    }

    /// Where the token stands, without the spaces and line ends around it.
    private var tokenRange: Range<Int> {
        var lower = 0
        var upper = self.body.count
        while lower < upper, Self.isBlank(self.body[lower]) { lower += 1 }
        while upper > lower, Self.isBlank(self.body[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0D || byte == 0x0A
    }
}
