import RelayHTTP
import RelayPipeline
import RelayStore

/// Why relay itself refuses a request of the packet protocol, and what the client reads about it: the
/// one place where reasons become problem documents.
enum PacketProblem: Equatable {
    case methodNotAllowed
    case noToken
    case sessionEnded
    case wrongSecret
    case debuggingForbidden
    case noRecipient
    case emptyPacket
    case malformedRecipient
    case malformedAck
    case unknownAck
    case malformedKey
    case severalRecipients
    case recipientForbidden
    case noPool
    case packetTooLarge
    case bodyTooLarge
    case tooManyBodies
    case inboxFull
    case outboxFull
    case storeFailed
    case backendUnreachable(retryAfterSeconds: UInt32)
    case backendFailed
    case backendTooSlow

    private var problem: Problem {
        switch self {
        case .methodNotAllowed: Problem(status: 405)
        case .noToken, .sessionEnded, .wrongSecret: Problem(status: 401)
        case .malformedRecipient, .malformedAck, .unknownAck, .malformedKey, .severalRecipients,
            .noRecipient, .emptyPacket:
            Problem(status: 400)
        case .recipientForbidden, .debuggingForbidden: Problem(status: 403)
        case .noPool: Problem(status: 404)
        case .packetTooLarge, .bodyTooLarge: Problem(status: 413)
        case .tooManyBodies, .inboxFull, .outboxFull, .backendUnreachable: Problem(status: 503)
        case .storeFailed: .storeFailed
        case .backendFailed: Problem(status: 502)
        case .backendTooSlow: Problem(status: 504)
        }
    }

    private var detail: String {
        switch self {
        case .methodNotAllowed: "Only POST is allowed here."
        case .noToken: "The request has no bearer token."
        case .sessionEnded: "The token belongs to no session; log in again."
        case .wrongSecret: "The bearer token is none of those that may push packets."
        case .debuggingForbidden: "Nobody may become a debug server here."
        case .noRecipient: "The request has no To field."
        case .emptyPacket: "A packet needs a body."
        case .malformedRecipient:
            "The To field names no client: an id has 1 to 255 bytes without comma, space or control byte."
        case .malformedAck: "The Ack field is not one decimal number."
        case .unknownAck: "The Ack field is above the number of every packet that there ever was."
        case .malformedKey: "The Packet-Id field is not 1 to 128 visible ASCII characters."
        case .severalRecipients: "Only a debug server may send a packet to several clients."
        case .recipientForbidden: "The To field names a client that is no debug server."
        case .noPool: "No backend takes packets of this request."
        case .packetTooLarge: "The packet is larger than is allowed."
        case .bodyTooLarge: "The body is larger than is allowed."
        case .tooManyBodies: "Too many requests are being received; try again."
        case .inboxFull: "Too many packets wait for the backend; try again."
        case .outboxFull: "Too many packets wait for clients; try again."
        case .storeFailed: "The packet could not be stored."
        case .backendUnreachable: "The backend cannot be reached; try again."
        case .backendFailed: "The backend gave no usable answer."
        case .backendTooSlow: "The backend did not answer in time."
        }
    }

    private func appendFields(of exchange: Exchange, to output: inout [UInt8]) {
        switch self {
        case .methodNotAllowed:
            output.appendField(.allow, exchange.answersPreflights ? "POST, OPTIONS" : "POST")
        case .noToken, .sessionEnded, .wrongSecret:
            output.appendField(.wwwAuthenticate, "Bearer")
        case .tooManyBodies, .inboxFull, .outboxFull, .storeFailed:
            output.appendField(.retryAfter, 1)
        case .backendUnreachable(let seconds):
            output.appendField(.retryAfter, UInt64(max(seconds, 1)))
        case .malformedRecipient, .malformedAck, .unknownAck, .malformedKey, .severalRecipients,
            .recipientForbidden, .debuggingForbidden, .noRecipient, .emptyPacket, .noPool,
            .packetTooLarge, .bodyTooLarge, .backendFailed,
            .backendTooSlow:
            break
        }
    }

    /// Answers an exchange with it.
    func answer(_ exchange: Exchange) {
        var fields: [UInt8] = []
        self.appendFields(of: exchange, to: &fields)
        exchange.respond(self.problem, detail: self.detail, fields: fields.span)
    }

    /// The problem of an operation that the store has refused.
    init(_ refusal: Refusal) {
        switch refusal {
        case .sessionEnded: self = .sessionEnded
        case .tokenTaken: self = .backendFailed
        case .inboxFull: self = .inboxFull
        case .outboxFull: self = .outboxFull
        case .recipientForbidden: self = .recipientForbidden
        case .storeFailed: self = .storeFailed
        }
    }
}
