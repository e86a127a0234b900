/// The version of this build, as `roostd --version`, INFO and the packages show it.
package enum RoostVersion {
    package static let current = "0.1.0"
}
