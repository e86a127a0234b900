import Glibc

/// The process of a demo node, found by its pid file and believed only if /proc says that it is that node: pids are
/// used again.
struct NodeProcess {
    enum State: Hashable { case up, paused, down }

    let node: DemoNode
    private let folder: DemoFolder

    init(_ node: DemoNode, in folder: DemoFolder) {
        self.node = node
        self.folder = folder
    }

    /// `nil` if the node is down.
    var pid: pid_t? {
        guard let text = File.read(folder.pidFile(node)), let pid = pid_t(text.prefix { $0.isNumber }), pid > 1,
            isNode(pid), stateLetter(pid) != "Z"
        else { return nil }
        return pid
    }

    var state: State {
        guard let pid else { return .down }
        return stateLetter(pid) == "T" ? .paused : .up
    }

    private func isNode(_ pid: pid_t) -> Bool {
        guard let commandLine = File.read("/proc/\(pid)/cmdline") else { return false }
        let arguments = commandLine.split(separator: "\0", omittingEmptySubsequences: false)
        return arguments.first?.split(separator: "/").last == "roostd"
            && arguments.contains(folder.dataDirectory(node)[...])
    }

    /// The third field of /proc/PID/stat; the second one, a name in parentheses, may hold anything.
    private func stateLetter(_ pid: pid_t) -> Character? {
        guard let line = File.read("/proc/\(pid)/stat"), let parenthesis = line.lastIndex(of: ")") else { return nil }
        return line[parenthesis...].dropFirst(2).first
    }

    /// Sends the signal if the node is there.
    ///
    /// - Returns: the process that got it.
    @discardableResult
    func send(_ signal: Int32) -> pid_t? {
        guard let pid, kill(pid, signal) == 0 else { return nil }
        return pid
    }

    /// Starts the node in a session of its own, so that Ctrl-C reaches the demo's runner alone, which then stops the
    /// nodes in good order. The log goes on at its end.
    func start(program: String) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, folder.log(node), O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The runner blocks signals to wait for them; a node must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(Self.newSession | POSIX_SPAWN_SETSIGMASK))

        var arguments = ([program] + folder.arguments(node)).map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var environment = Self.inheritedEnvironment().map { strdup($0) } + [nil]
        defer { environment.forEach { free($0) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, program, &actions, &attributes, &arguments, &environment)
        guard error == 0 else {
            throw Failure(.refused, "cannot start \(program): \(String(cString: strerror(error)))")
        }
        try File.write("\(pid)\n", to: folder.pidFile(node))
        return pid
    }

    /// POSIX_SPAWN_SETSID, which <spawn.h> shows to GNU sources only.
    private static let newSession: Int32 = 0x80

    /// Without the variables that would configure a node: the demo's nodes are what their flags say.
    private static func inheritedEnvironment() -> [String] {
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if !text.hasPrefix("ROOST_") { variables.append(text) }
            next += 1
        }
        return variables
    }
}
