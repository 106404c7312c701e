/// `match` and `when`: which requests.
///
/// All that is given must hold; of a list any one must.
///
/// An empty array says that the key is absent: anything will do.
package struct MatchConfiguration: Sendable, Equatable {
    /// `host`: the request's host, without port.
    package var hosts: [HostPattern] = []

    /// `path`: the whole path in its normal form.
    package var paths: [String] = []

    /// `path_prefix`: what the path in its normal form begins with, by whole segments.
    ///
    /// `/api` holds for `/api` and `/api/x`, not for `/apiary`; `/api/` holds for `/api/` and
    /// `/api/x` only; `/` holds for all.
    package var pathPrefixes: [String] = []

    /// `path_regex`: what is found anywhere in the path in its normal form.
    ///
    /// PCRE2; `^` and `$` hold it to the path's ends. A search that takes too long has found nothing.
    package var pathExpressions: [RegularExpression] = []

    /// `method`: as it stands in the request; case matters.
    package var methods: [String] = []

    /// `header`: fields that must be there with such a value; one for each name.
    package var headers: [FieldMatch] = []

    /// `query`: parameters that must be there with such a value; one for each name.
    package var queries: [FieldMatch] = []

    /// `client_ip`: the peer, or behind trusted proxies the client that they name.
    package var clientAddresses: [AddressRange] = []

    /// Holds for every request.
    package init() {}

    /// A host, or all hosts below one.
    package enum HostPattern: Sendable, Hashable {
        /// This host; lower case.
        case exactly(String)
        /// `*.example.com`: one or more labels before `.example.com`, which the value is, lower
        /// case, with its dot.
        case below(String)
    }

    /// A name and the values that will do.
    package struct FieldMatch: Sendable, Hashable {
        /// The name; of a header field in lower case.
        package let name: String

        /// Any of these; at least one.
        package let values: [Wildcard]

        /// Makes a condition.
        package init(name: String, values: [Wildcard]) {
            self.name = name
            self.values = values
        }
    }
}
