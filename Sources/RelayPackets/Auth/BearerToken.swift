import RelayHTTP

extension FieldPositions {
    /// Where the token of `Authorization: Bearer` stands in the head; nil without exactly one.
    func bearerToken(in head: Span<UInt8>) -> ByteRange? {
        guard let value = self.value(of: .authorization), !self.isRepeated(.authorization) else {
            return nil
        }
        return FieldValue.bearerToken(head.extracting(value))?.shifted(by: Int(value.start))
    }
}
