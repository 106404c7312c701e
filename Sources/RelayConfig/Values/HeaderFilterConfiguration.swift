/// A header filter: what a `headers` stage does to the headers of requests and of responses.
package struct HeaderFilterConfiguration: Sendable, Equatable {
    /// Its key under `header_filters`; nil if the rules stand in the stage itself.
    package var name: String?

    /// `request`: changes to what goes to a pool, in order.
    ///
    /// Default: none.
    package var request: [HeaderRuleConfiguration] = []

    /// `response`: changes to what goes to the client, in order.
    ///
    /// Default: none.
    package var response: [HeaderRuleConfiguration] = []

    /// A filter that changes nothing.
    package init(name: String? = nil) {
        self.name = name
    }
}

/// A change to headers.
///
/// Names are compared without regard to case.
package enum HeaderRuleConfiguration: Sendable, Equatable {
    /// `pass`: what no `pass` of the same list names is dropped, before all other rules of the
    /// list.
    ///
    /// A list without `pass` carries `X-*` on a listener with `buffer`, and everything elsewhere.
    case pass([HeaderNamePattern])

    /// `set`: replaces all fields of each name by one.
    case set([Field])

    /// `add`: adds a field of each name beside those that are there.
    case add([Field])

    /// `remove`: drops all fields of such names.
    case remove([HeaderNamePattern])

    /// `rename`: gives all fields of a name another one.
    ///
    /// Fields that have the other name already stay.
    case rename([Renaming])

    /// A field that a rule writes.
    package struct Field: Sendable, Hashable {
        /// The name, spelt as in relay.yaml.
        package let name: String

        /// The value: no control characters but tab, no blanks at its ends.
        ///
        /// If values of the request in it leave nothing of it, the field is not written.
        package let value: RequestText

        /// Makes a field.
        package init(name: String, value: RequestText) {
            self.name = name
            self.value = value
        }

        /// Makes a field whose value is the same for all requests.
        package init(name: String, value: String) {
            self.init(name: name, value: RequestText(value))
        }
    }

    /// A name and the one it gets.
    package struct Renaming: Sendable, Hashable {
        /// The old name.
        package let from: String

        /// The new name, spelt as in relay.yaml.
        package let to: String

        /// Makes a pair.
        package init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }
}
