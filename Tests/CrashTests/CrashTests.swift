import Testing

/// Real daemons that are killed, cut off from power, given a failing disk, a full one and one with flipped bits. Whatever
/// they acknowledged must be there afterwards; no answer may be wrong, and nothing may hang.
///
/// Each suite has a negative control: the same injury to a node that breaks its promise must be noticed. `make crash` runs
/// them (docs/testing.md); a plain `swift test` skips them.
@Suite(
    "Crash suites", .serialized, .sandboxed,
    .enabled(if: CrashForm.current != nil, "set ROOST_CRASH to short or long, as `make crash` does"))
enum CrashTests {}
