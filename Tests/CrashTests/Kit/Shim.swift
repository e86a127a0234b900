import Foundation

/// `Shim/shim.c`, compiled: system calls of a daemon that fail, lie or take their time.
enum Shim {
    enum Calls: String, CaseIterable, Sendable {
        case sync, write
    }

    enum Injury: Sendable {
        /// One call fails.
        case fail(Int32)
        /// From one call on nothing is done, and success reported.
        case skip
        /// From one call on each takes so many milliseconds longer.
        case slow(Int)
        /// Each call waits for as long as that file is there.
        case hang(while: String)
    }

    static var isAvailable: Bool {
        switch library {
        case .success: Skipping.passes("failing system calls", nil)
        case .failure(let error): Skipping.passes("failing system calls", "\(error)")
        }
    }

    /// A daemon whose RocksDB can't tell damage: every checksum that it writes and checks is the same.
    static func blindness() throws -> [String: String] {
        ["LD_PRELOAD": try library.get(), "SHIM_MODE": "blind"]
    }

    /// What a daemon's process is started with.
    ///
    /// - Parameters:
    ///   - number: of the first call that is harmed, from 1; means nothing to `.hang`.
    ///   - note: a file that gets a line when that happens.
    static func environment(
        _ injury: Injury, _ calls: Calls, at number: Int, in folder: String, note: String
    ) throws -> [String: String] {
        var variables = [
            "LD_PRELOAD": try library.get(), "SHIM_PATH": folder, "SHIM_CALLS": calls.rawValue, "SHIM_AT": "\(number)",
            "SHIM_NOTE": note,
        ].merging(DaemonProcess.withoutBacktrace) { $1 }
        switch injury {
        case .fail(let code): (variables["SHIM_MODE"], variables["SHIM_ERRNO"]) = ("fail", "\(code)")
        case .skip: variables["SHIM_MODE"] = "skip"
        case .slow(let delay): (variables["SHIM_MODE"], variables["SHIM_DELAY"]) = ("slow", "\(delay)")
        case .hang(let file): (variables["SHIM_MODE"], variables["SHIM_HOLD"]) = ("hang", file)
        }
        return variables
    }

    /// Compiled once in a run, into a folder of its own, which stays for as long as the machine's temporary files do.
    private static let library = Result<String, any Error> {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Shim/shim.c").path
        guard let compiler = ["cc", "clang", "gcc"].first(where: { Binaries.installed($0) != nil }) else {
            throw TestFailure("no C compiler is installed")
        }
        var template = Array("\(NSTemporaryDirectory())/roost-shim-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        try run(compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", "\(folder)/shim.so", source, "-ldl")
        return "\(folder)/shim.so"
    }
}
