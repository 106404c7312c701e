import RelayConfig
import Testing

struct ArgumentValueTests {
    @Test func `reads a URL of the command line as relay.yaml would`() throws {
        let url = try TargetURL(argument: "http://localhost:8080/relay", named: "--url")
        #expect(url.address == .tcp(host: "localhost", port: 8080))
        #expect(url.path == "/relay")
    }

    @Test func `names the option in what is wrong`() {
        let problem = #expect(throws: ArgumentProblem.self) {
            try TargetURL(argument: "localhost:8080", named: "--url")
        }
        #expect(
            problem?.description == "'--url' begins with 'http://', not so 'localhost:8080'"
        )
    }

    @Test func `refuses an address without port`() {
        let problem = #expect(throws: ArgumentProblem.self) {
            try BindAddress(argument: "localhost", named: "--listen")
        }
        #expect(
            problem?.description == "'--listen' has no port in 'localhost'; write HOST:PORT"
        )
    }
}
