/// A packet's body as one line for people.
enum PacketLine {
    /// How many bytes of a binary packet are shown.
    private static let bytesShown = 32

    /// Text as it is, without one line end at its end, and with control characters escaped as in C; of anything
    /// else the number of bytes and the first ones in hexadecimal.
    static func text(of body: [UInt8]) -> String {
        guard let text = String(validating: body, as: UTF8.self) else { return self.binary(body) }
        var line = ""
        let scalars = text.unicodeScalars
        for scalar in text.hasSuffix("\n") ? scalars.dropLast() : scalars[...] {
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                line += "\\x" + self.hexadecimal(UInt8(truncatingIfNeeded: scalar.value))
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    private static func binary(_ body: [UInt8]) -> String {
        let shown = body.prefix(self.bytesShown).map { self.hexadecimal($0) }.joined()
        return "<\(body.count) bytes: \(shown)\(body.count > self.bytesShown ? "..." : "")>"
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
    }
}
