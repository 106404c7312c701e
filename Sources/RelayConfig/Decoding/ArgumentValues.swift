/// What is wrong with a value of the command line that relay.yaml could hold, too.
package struct ArgumentProblem: Error, CustomStringConvertible {
    /// One sentence, in the form of a diagnostic.
    package let description: String

    fileprivate init(_ rejection: Rejection, of name: String) {
        self.description = rejection.message(name)
    }
}

extension TargetURL {
    /// Reads a target's URL from the command line, by the rules of relay.yaml.
    ///
    /// - Parameter name: what the value is called in a message: `--url`.
    package init(argument: String, named name: String) throws(ArgumentProblem) {
        do {
            try self.init(Word(text: argument), "")
        } catch {
            throw ArgumentProblem(error, of: name)
        }
    }
}

extension BindAddress {
    /// Reads an address to accept connections on from the command line, by the rules of relay.yaml.
    ///
    /// - Parameter name: what the value is called in a message: `--listen`.
    package init(argument: String, named name: String) throws(ArgumentProblem) {
        do {
            try self.init(Word(text: argument), "")
        } catch {
            throw ArgumentProblem(error, of: name)
        }
    }
}
