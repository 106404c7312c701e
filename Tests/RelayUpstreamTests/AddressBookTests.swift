import RelayConfig
import RelayEngine
import Testing

@testable import RelayUpstream

struct AddressBookTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)
    private let found = NameLookup.addresses([.v4(1, port: 0), .v4(2, port: 0)])

    @Test func `a literal is never asked for`() {
        var book = AddressBook(.tcp(host: "127.0.0.1", port: 80))
        let wanted = book.connectionWanted(at: self.start)
        #expect(wanted == AddressBook.Answer(addresses: [.loopback(port: 80)], ask: nil))
        var v6 = AddressBook(.tcp(host: "::1", port: 80))
        #expect(
            v6.connectionWanted(at: self.start).addresses == [
                .v6(high: 0, low: 1, port: 80, zone: 0)
            ]
        )
        var unix = AddressBook(.unix(path: "/run/x"))
        #expect(unix.connectionWanted(at: self.start).addresses == [.unix(path: "/run/x")])
    }

    @Test func `a name is asked for once and then used`() {
        var book = AddressBook(.tcp(host: "app", port: 80))
        #expect(book.connectionWanted(at: self.start) == .init(addresses: [], ask: "app"))
        #expect(book.connectionWanted(at: self.start) == .init(addresses: [], ask: nil))
        #expect(book.resolved(self.found) == nil)
        let known: [SocketAddress] = [.v4(1, port: 80), .v4(2, port: 80)]
        #expect(book.connectionWanted(at: self.start) == .init(addresses: known, ask: nil))
    }

    @Test func `old addresses are used while the name is asked for again`() {
        var book = AddressBook(.tcp(host: "app", port: 80))
        _ = book.connectionWanted(at: self.start)
        _ = book.resolved(self.found)
        let later = book.connectionWanted(at: self.start + AddressBook.ageMax)
        #expect(later.ask == "app")
        #expect(later.addresses.count == 2)
        #expect(book.resolved(.failure("no")) == nil)
        #expect(book.known.count == 2)
        #expect(book.connectionWanted(at: self.start + AddressBook.ageMax).ask == "app")
    }

    @Test func `a name without addresses is asked for by the next connection`() {
        var book = AddressBook(.tcp(host: "app", port: 80))
        _ = book.connectionWanted(at: self.start)
        #expect(book.resolved(.failure("no such name")) == "no such name")
        #expect(book.connectionWanted(at: self.start) == .init(addresses: [], ask: "app"))
    }

    @Test func `the address that answered is tried first`() {
        var book = AddressBook(.tcp(host: "app", port: 80))
        _ = book.connectionWanted(at: self.start)
        _ = book.resolved(self.found)
        book.connected(to: .v4(2, port: 80))
        #expect(book.known == [.v4(2, port: 80), .v4(1, port: 80)])
    }
}
