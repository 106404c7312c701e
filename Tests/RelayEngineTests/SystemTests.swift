import Testing

@testable import RelayEngine

struct SocketAddressTests {
    @Test func `writes addresses as people do`() throws {
        #expect(SocketAddress.loopback(port: 80).description == "127.0.0.1:80")
        let v6 = try #require(SocketAddress(numericHost: "2001:db8:0:0:0:0:0:1", port: 443))
        #expect(v6.description == "[2001:db8::1]:443")
        #expect(SocketAddress.unix(path: "/run/x").description == "unix:/run/x")
        #expect(SocketAddress(numericHost: "localhost", port: 1) == nil)
        #expect(SocketAddress(numericHost: "10.0.0.1", port: 1) == .v4(0x0a00_0001, port: 1))
    }

    @Test func `knows which listeners would get in each other's way`() throws {
        let any = SocketAddress.v4(0, port: 80)
        #expect(any.overlaps(.loopback(port: 80)))
        #expect(SocketAddress.loopback(port: 80).overlaps(any))
        #expect(!any.overlaps(.loopback(port: 81)))
        #expect(!SocketAddress.v4(1, port: 80).overlaps(.v4(2, port: 80)))
        let anyV6 = try #require(SocketAddress(numericHost: "::", port: 80))
        #expect(!anyV6.overlaps(any))
        #expect(anyV6.overlaps(try #require(SocketAddress(numericHost: "::1", port: 80))))
        #expect(SocketAddress.unix(path: "a").overlaps(.unix(path: "a")))
        #expect(!SocketAddress.unix(path: "a").overlaps(.unix(path: "b")))
    }
}

struct SystemResultTests {
    @Test func `is a value or an error, never both`() {
        #expect(SystemResult(5).value == 5)
        #expect(SystemResult(5).error == nil)
        #expect(SystemResult(failure: .tryAgain).value == 0)
        #expect(SystemResult(failure: .tryAgain).descriptor == -1)
        #expect(SystemResult(failure: .tryAgain).error == .tryAgain)
        #expect(SystemError.connectionRefused.description == "connection refused")
    }

    @Test func `cuts times off where they do not fit`() {
        let time = MonotonicTime(nanoseconds: 5)
        #expect(time + .seconds(Int64.max) == .never)
        #expect(time + .milliseconds(2) - time == .milliseconds(2))
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
    }
}
