/// Which relay this is.
package enum RelayVersion {
    /// By semantic versioning (semver.org).
    package static let text = "0.1.0"
}
