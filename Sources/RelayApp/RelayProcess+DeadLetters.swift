package import RelayAdmin
import RelayEngine
import RelayHTTP
import RelayObservation
import RelayPackets
import RelayStore

/// What the admin address asks about dead letters.
extension RelayProcess {
    package func deadLetters(
        _ request: DeadLetterRequest,
        _ completion: @escaping @Sendable (DeadLetterAnswer) -> Void
    ) {
        let store = self.packets.store
        switch request {
        case .list:
            var lines: [UInt8] = []
            for letter in store.keptDeadLetters() { letter.appendLine(of: store, to: &lines) }
            completion(.lines(lines))
        case .show(let id):
            self.withContents(of: id, completion) { letter, contents in
                var text: [UInt8] = []
                letter.appendLine(of: store, to: &text)
                contents.withHeaders { text.append($0) }
                completion(.text(text))
            }
        case .body(let id):
            self.withContents(of: id, completion) { _, contents in
                var body: [UInt8] = []
                contents.withBody { body.append($0) }
                completion(.bytes(body))
            }
        case .drop(let id):
            completion(store.dropDeadLetter(id) ? .lines([]) : .unknown)
        case .retry(let id):
            self.withContents(of: id, completion) { self.retry($0, $1, completion) }
        }
    }

    private func retry(
        _ letter: DeadLetter,
        _ contents: PacketContents,
        _ completion: @escaping @Sendable (DeadLetterAnswer) -> Void
    ) {
        guard letter.canBeRetried else { return completion(.useless) }
        guard self.packets.store.acceptsReplies else { return completion(.unavailable) }
        let isRetried = self.packets.retry(letter, contents, at: self.clock()) { number in
            completion(.lines(Array("{\"id\":\(letter.id),\"packet\":\(number)}\n".utf8)))
        }
        if !isRetried { completion(.unknown) }
    }

    /// Calls `body` with a dead letter and what it carries, which is read if it is not in memory.
    private func withContents(
        of id: UInt64,
        _ completion: @escaping @Sendable (DeadLetterAnswer) -> Void,
        _ body: @escaping @Sendable (DeadLetter, PacketContents) -> Void
    ) {
        guard let letter = self.packets.store.deadLetter(id) else { return completion(.unknown) }
        guard letter.contents.isAbsent else { return body(letter, letter.contents) }
        guard let disk = self.disk else { return completion(.unavailable) }
        let isQueued = self.files.run {
            if let contents = disk.contents(ofDeadLetter: id) {
                body(letter, contents)
            } else {
                completion(.unavailable)
            }
        }
        if !isQueued { completion(.unavailable) }
    }
}

extension DeadLetter {
    /// Appends what is known of it besides its contents, as one line of JSON.
    fileprivate func appendLine(of store: PacketStore, to bytes: inout [UInt8]) {
        bytes.append("{\"id\":")
        bytes.append(decimal: self.id)
        bytes.append(",\"time\":\"")
        let (time, isLong) = Int64(clamping: self.diedAt.unixMicroseconds)
            .multipliedReportingOverflow(by: 1000)
        Timestamp(nanoseconds: isLong ? .max : time).append(to: &bytes)
        bytes.append("\",\"direction\":\"")
        switch self.direction {
        case .toBackend: bytes.append("to_backend")
        case .toClient: bytes.append("to_client")
        }
        bytes.append("\",\"reason\":")
        JSONText.appendString(self.reason.text, to: &bytes)
        bytes.append(",\"realm\":")
        JSONText.appendString(store.name(of: self.realm), to: &bytes)
        if let pool = self.pool {
            bytes.append(",\"pool\":")
            JSONText.appendString(store.name(of: pool), to: &bytes)
        }
        if let client = self.client {
            bytes.append(",\"client\":")
            JSONText.appendString("\(client)", to: &bytes)
        }
        if let number = self.number {
            bytes.append(",\"packet\":")
            bytes.append(decimal: number)
        }
        bytes.append(",\"attempts\":")
        bytes.append(decimal: UInt64(self.attempts))
        bytes.append(",\"bytes\":")
        bytes.append(decimal: UInt64(self.contents.byteCount))
        bytes.append("}\n")
    }
}
