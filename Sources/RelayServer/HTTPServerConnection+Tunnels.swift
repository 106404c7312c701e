import RelayEngine
import RelayHTTP
import RelayPipeline

/// Interim responses, and the bytes of another protocol behind a 101.
extension HTTPServerConnection {
    func inform(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>) {
        guard let served = self.pending.first(of: exchange),
            served.state.isDisjoint(with: [.isHTTP10, .isBegun])
        else { return }
        self.server.withOutput { output in
            output.appendStatusLine(status)
            output.append(fields)
            output.appendEndOfHead()
            self.emit(served, output.span)
        }
    }

    /// Sends the 101 and reads on: what comes is the tunnel's, also what has waited behind the request.
    func beginTunnel(_ exchange: Exchange, fields: Span<UInt8>) {
        guard let served = self.pending.first(of: exchange) else { return }
        self.begin(served)
        guard self.phase == .serving, self.incoming == nil else { return exchange.abort() }
        self.server.withOutput { output in
            output.appendStatusLine(101)
            output.append(fields)
            output.appendEndOfHead()
            self.emit(served, output.span)
        }
        // The end of the connection is the only one that the tunnel has.
        served.state.formUnion([.isTunnel, .endsByClosing, .closes])
        served.decoder = BodyDecoder(.untilClose)
        self.isTunnelAwaited = false
        self.incoming = served
        self.updateDeadline()
        self.resumeReadingIfPossible()
    }

    /// The client has ended its side of a tunnel, and may still be read to; false if there is none.
    func tunnelInputEnded() -> Bool {
        guard let tunnel = self.incoming, tunnel.state.contains(.isTunnel) else { return false }
        self.incoming = nil
        if self.phase == .serving { self.phase = .ending }
        tunnel.exchange?.requestEnded()
        return true
    }
}
