/// A packet that a backend gave with its answer.
package struct Reply: Sendable {
    /// For whom it is.
    package let recipients: Recipients

    /// What it carries.
    package let contents: PacketContents

    /// What the backend's `From` said.
    package let from: ClientName?

    /// A packet as the backend gave it.
    package init(recipients: Recipients, contents: PacketContents, from: ClientName? = nil) {
        self.recipients = recipients
        self.contents = contents
        self.from = from
    }
}
