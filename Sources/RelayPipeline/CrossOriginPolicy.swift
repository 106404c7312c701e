import RelayConfig
package import RelayHTTP

/// What a listener with `cors` tells browsers about pages of other origins (Fetch standard, section 3.3).
///
/// It concerns the paths of the packet protocol alone; whatever else is behind the listener answers for itself.
/// It decides before any stage, because a preflight carries neither the token nor anything else that a
/// stage may want of a request. Nobody is refused for his origin: it is the browser that keeps the answers from
/// the pages of origins that are not listed. Cookies are not involved, so that `*` gives no page more than
/// the token it has.
///
/// Never changes.
package struct CrossOriginPolicy {
    /// Nil: all.
    private let origins: [[UInt8]]?
    private let paths: [[UInt8]]
    private let maxAgeSeconds: UInt64

    /// The policy of a listener; nil if it has none.
    init?(_ listener: ListenerConfiguration) {
        guard let configuration = listener.crossOrigin else { return nil }
        self.origins =
            configuration.allowsAnyOrigin ? nil : configuration.origins.map { Array($0.utf8) }
        self.paths = listener.packetPaths.map { Array($0.utf8) }
        self.maxAgeSeconds = UInt64(clamping: configuration.maxAge.components.seconds)
    }

    /// Answers a preflight, and notes for whom the answer to any other request is.
    func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        let isMeant = request.withPath(bytes) { path in
            self.paths.contains { path.equals($0.span) }
        }
        guard isMeant else { return .proceed }
        let grant = self.grant(request.head.fields, bytes)
        guard exchange.method == .options else {
            exchange.crossOrigin = grant
            return .proceed
        }
        self.answer(exchange, grant, request.head.fields, bytes)
        return .responded
    }

    /// For whom the answer to a request with these fields is.
    package func grant(_ fields: FieldPositions, _ bytes: Span<UInt8>) -> CrossOriginGrant {
        guard let origins = self.origins else { return .anyOrigin }
        guard let value = fields.value(of: .origin), !fields.isRepeated(.origin) else {
            return .sameOrigin
        }
        let origin = bytes.extracting(value)
        let listed = origins.first { origin.equals($0.span) }
        return listed.map { .origin($0) } ?? .sameOrigin
    }

    /// Answers OPTIONS: a preflight if it names origin and method, a plain question otherwise.
    private func answer(
        _ exchange: Exchange,
        _ grant: CrossOriginGrant,
        _ fields: FieldPositions,
        _ bytes: Span<UInt8>
    ) {
        var lines: [UInt8] = []
        grant.appendOrigin(to: &lines)
        let isPreflight =
            fields.contains(.origin)
            && Self.firstIndex("Access-Control-Request-Method", fields, bytes) != nil
        guard isPreflight else {
            lines.appendField(.allow, "POST, OPTIONS")
            exchange.respond(status: 204, fields: lines.span, body: Span())
            return
        }
        if case .sameOrigin = grant {
            exchange.respond(
                Problem(status: 403),
                detail: "Pages of this origin may not use this address.",
                fields: lines.span
            )
            return
        }
        lines.append("Access-Control-Allow-Methods: POST\r\n")
        Self.appendAllowed(fields, bytes, to: &lines)
        lines.append("Access-Control-Max-Age: ")
        lines.append(decimal: self.maxAgeSeconds)
        lines.append("\r\n")
        exchange.respond(status: 204, fields: lines.span, body: Span())
    }

    /// Appends the names that were asked for and are allowed.
    ///
    /// They are echoed, because `*` does not include `Authorization` (Fetch standard, section 4.8), and `X-*`
    /// cannot be said.
    private static func appendAllowed(
        _ fields: FieldPositions,
        _ bytes: Span<UInt8>,
        to lines: inout [UInt8]
    ) {
        let start = lines.count
        lines.append("Access-Control-Allow-Headers: ")
        let first = lines.count
        var next = self.firstIndex("Access-Control-Request-Headers", fields, bytes)
        while let index = next {
            var members = ListMembers(fields[index].value)
            while let member = members.next(in: bytes) {
                let name = bytes.extracting(member)
                guard name.isToken, Self.isAllowed(name) else { continue }
                if lines.count > first { lines.append(", ") }
                lines.append(name)
            }
            next = self.firstIndex("Access-Control-Request-Headers", fields, bytes, from: index + 1)
        }
        if lines.count > first {
            lines.append("\r\n")
        } else {
            lines.removeLast(lines.count - start)
        }
    }

    /// Whether a page may send a field of this name: one of the protocol's requests, or `X-*`.
    private static func isAllowed(_ name: Span<UInt8>) -> Bool {
        switch KnownField(name: name) {
        case .authorization, .contentType, .to, .debug, .permissions, .packetID, .ack, .prefer: true
        default: name.isXName
        }
    }

    private static func firstIndex(
        _ name: StaticString,
        _ fields: FieldPositions,
        _ bytes: Span<UInt8>,
        from start: Int = 0
    ) -> Int? {
        name.withSpan { fields.firstIndex(named: $0, in: bytes, from: start) }
    }
}

/// For whom an answer is, as the browser must be told.
package enum CrossOriginGrant {
    /// For pages of every origin.
    case anyOrigin
    /// For pages of this origin, which is listed.
    case origin([UInt8])
    /// For no page but those of relay's own address; another request might get another grant.
    case sameOrigin

    /// `fields` as they go out: with the grant, and with leave to read each of them.
    ///
    /// Who writes `Access-Control-*` into an answer decides for himself; these are left as they are.
    package func completing(_ fields: Span<UInt8>) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(2 * fields.count + 192)
        lines.append(fields)
        var names: [UInt8] = []
        var stored = StoredFields(fields)
        while let line = stored.next(in: fields) {
            let name = fields.extracting(line.name)
            if name.beginsIgnoringCase("Access-Control-") { return lines }
            if name.isReadableByAnyPage { continue }
            if !names.isEmpty { names.append(", ") }
            names.append(name)
        }
        self.appendOrigin(to: &lines)
        if case .sameOrigin = self { return lines }
        if !names.isEmpty {
            lines.append("Access-Control-Expose-Headers: ")
            lines.append(names.span)
            lines.append("\r\n")
        }
        return lines
    }

    /// Appends who may read the answer, and that it depends on who asks.
    func appendOrigin(to lines: inout [UInt8]) {
        switch self {
        case .anyOrigin:
            lines.append("Access-Control-Allow-Origin: *\r\n")
        case .origin(let origin):
            lines.append("Access-Control-Allow-Origin: ")
            lines.append(origin.span)
            lines.append("\r\n")
            lines.appendField(.vary, "Origin")
        case .sameOrigin:
            lines.appendField(.vary, "Origin")
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether pages read a field of this name without being told so (Fetch standard, 'CORS-safelisted
    /// response-header name'), as far as answers of the packet protocol have them.
    fileprivate var isReadableByAnyPage: Bool {
        switch KnownField(name: self) {
        case .contentType, .cacheControl, .contentLength: true
        default: false
        }
    }
}

extension ListenerConfiguration {
    /// Where clients speak the packet protocol.
    fileprivate var packetPaths: [String] {
        self.pipeline.flatMap { stage -> [String] in
            switch stage.kind {
            case .auth(let auth): [auth.authPath, auth.registerPath, auth.logoutPath]
            case .buffer(let buffer): [buffer.path]
            // A secret to push with is not for pages.
            case .headers, .push, .route, .plugin: []
            }
        }
    }
}
