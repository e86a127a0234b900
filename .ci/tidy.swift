// Checks what a reviewer should not have to: layers, imports, purity, documented types, reasons for unsafe opt-outs,
// and links between documents. `make lint` runs it: `swift .ci/tidy.swift`, and `--self-test` first, which plants one
// violation of every rule and fails if a rule does not see it.
import Foundation

// MARK: Rules

/// The layer of every target of our own (docs/ARCHITECTURE.md). A target may depend on its own layer and those below.
let layers: [String: Int] = [
    "CRocksDB": 0, "CChecksum": 0, "CEpoll": 0, "CFileSystem": 0,
    "ByteCoding": 1, "Linearizability": 1, "Raft": 1, "RESP": 1, "RocksDB": 1,
    "KeyValue": 2, "RaftStorage": 2,
    "PeerTransport": 3, "RedisServer": 3, "AdminHTTP": 3, "Simulator": 3,
    "RoostNode": 4,
    "roostd": 5, "roostctl": 5, "roost-bench": 5, "roost-sim": 5, "roost-budget": 5,
]

/// Targets whose behaviour must follow from their inputs alone: no clock, thread, randomness, file or print.
let pureTargets: Set = ["ByteCoding", "Linearizability", "Raft", "RESP", "KeyValue", "Simulator"]

/// Edges never see the database: only the node joins both sides.
let targetsWithoutDatabase: Set = ["PeerTransport", "RedisServer", "AdminHTTP", "roostctl"]

/// Modules of the toolchain that a target may import without a line in Package.swift. Pure targets may import
/// `Synchronization` for their reference-counted or lock-guarded values, nothing else.
let toolchainModules: Set = ["Foundation", "FoundationEssentials", "Dispatch", "Glibc", "Musl", "Synchronization"]
let pureToolchainModules: Set = ["Synchronization"]
let testModules: Set = ["Testing"]

/// Calls that make a pure target depend on the machine it runs on.
let impureCalls = [
    "Date(", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", ".random(", ".randomElement(",
    ".shuffle", "print(", "debugPrint(", "Task {", "Task.sleep", "getenv(", "clock_gettime(",
]

// MARK: Model

struct Target {
    var name: String
    var isTest: Bool
    /// Names of target and product dependencies.
    var dependencies: [String]
    var files: [SourceFile]
}

struct SourceFile {
    var path: String
    var lines: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}

struct Finding: CustomStringConvertible {
    var rule: String
    var place: String
    var text: String
    var description: String { "\(place): \(rule): \(text)" }
}

// MARK: Checks

func checkLayers(_ targets: [Target]) -> [Finding] {
    var findings: [Finding] = []
    let dependencies = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, $0.dependencies) })
    for target in targets where !target.isTest {
        let place = "Package.swift (\(target.name))"
        guard let layer = layers[target.name] else {
            findings.append(Finding(rule: "layer", place: place, text: "has no layer in .ci/tidy.swift; give it one"))
            continue
        }
        for dependency in target.dependencies {
            if let below = layers[dependency], below > layer {
                findings.append(
                    Finding(
                        rule: "layer", place: place, text: "layer \(layer) depends on \(dependency), layer \(below)"))
            }
        }
        if targetsWithoutDatabase.contains(target.name), reachable(from: target.name, dependencies).contains("RocksDB")
        {
            findings.append(Finding(rule: "layer", place: place, text: "must not reach RocksDB"))
        }
    }
    return findings
}

func reachable(from start: String, _ dependencies: [String: [String]]) -> Set<String> {
    var seen: Set<String> = []
    var pending = [start]
    while let name = pending.popLast() {
        for dependency in dependencies[name] ?? [] where seen.insert(dependency).inserted { pending.append(dependency) }
    }
    return seen
}

func checkImports(_ target: Target) -> [Finding] {
    let toolchain = pureTargets.contains(target.name) ? pureToolchainModules : toolchainModules
    // The module of target `roost-bench` is `roost_bench`.
    let modules = target.dependencies.map { $0.replacing("-", with: "_") }
    let allowed = toolchain.union(modules).union(target.isTest ? testModules : [])
    return target.files.flatMap { file in
        file.lines.enumerated().compactMap { number, line -> Finding? in
            guard let module = importedModule(line), !allowed.contains(module) else { return nil }
            let text =
                "\(target.name) imports \(module), which is neither a dependency in Package.swift nor allowed here"
            return Finding(rule: "import", place: "\(file.path):\(number + 1)", text: text)
        }
    }
}

/// The module of an import line, whatever its access level, attribute or kind (`import struct X.Y`).
func importedModule(_ line: Substring) -> String? {
    let match = line.wholeMatch(
        of:
            #/\s*(?:@\w+(?:\(\w+\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?([A-Za-z_]\w*).*/#
    )
    return match.map { String($0.1) }
}

func checkPurity(_ target: Target) -> [Finding] {
    guard pureTargets.contains(target.name) else { return [] }
    return target.files.flatMap { file in
        file.lines.enumerated().compactMap { number, line -> Finding? in
            let code = codePart(line)
            guard let call = impureCalls.first(where: { calls($0, in: code) }) else { return nil }
            let text = "\(target.name) is pure, but uses '\(call)'; take the value as an input"
            return Finding(rule: "purity", place: "\(file.path):\(number + 1)", text: text)
        }
    }
}

/// Whether the call stands there by itself, not as the end of a longer name (`Footprint(` is no `print(`).
func calls(_ call: String, in code: Substring) -> Bool {
    code.ranges(of: call).contains { range in
        guard call.first!.isLetter, range.lowerBound > code.startIndex else { return true }
        let before = code[code.index(before: range.lowerBound)]
        return !(before.isLetter || before.isNumber || before == "_")
    }
}

/// The line without its comment. A `//` inside a string cuts too much, which can only hide a finding, never invent one.
func codePart(_ line: Substring) -> Substring {
    line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
}

/// Types at the top of a file; a nested one may live on the words of the type around it.
func checkDocumentedTypes(_ target: Target) -> [Finding] {
    guard !target.isTest else { return [] }
    let declaration =
        #/(?:public|open|package)\s+(?:final\s+|indirect\s+)*(?:struct|class|enum|actor|protocol)\s+(\w+).*/#
    return target.files.flatMap { file in
        file.lines.enumerated().compactMap { number, line -> Finding? in
            guard let name = line.wholeMatch(of: declaration)?.1, !isDocumented(file.lines, at: number) else {
                return nil
            }
            return Finding(
                rule: "documentation", place: "\(file.path):\(number + 1)", text: "type \(name) has no doc comment")
        }
    }
}

/// Whether a doc comment stands above the declaration, with nothing but attributes and directives between.
func isDocumented(_ lines: [Substring], at number: Int) -> Bool {
    for line in lines[..<number].reversed() {
        let text = line.drop(while: \.isWhitespace)
        if text.hasPrefix("///") { return true }
        guard text.hasPrefix("@") || text.hasPrefix("//") || text.hasPrefix("#") else { return false }
    }
    return false
}

func checkReasons(_ target: Target) -> [Finding] {
    guard !target.isTest else { return [] }
    return target.files.flatMap { file in
        file.lines.enumerated().compactMap { number, line -> Finding? in
            let code = codePart(line)
            guard let word = ["@unchecked Sendable", "nonisolated(unsafe)"].first(where: code.contains) else {
                return nil
            }
            let above = number > 0 ? file.lines[number - 1].drop(while: \.isWhitespace) : ""
            guard !above.hasPrefix("//"), !above.hasPrefix("@"), code.count == line.count else { return nil }
            let text = "\(word) without a comment that names the thread or lock that owns the state"
            return Finding(rule: "reason", place: "\(file.path):\(number + 1)", text: text)
        }
    }
}

/// Relative links of Markdown files must lead to a file.
func checkLinks(_ documents: [SourceFile], exists: (String) -> Bool) -> [Finding] {
    documents.flatMap { document -> [Finding] in
        let folder = (document.path as NSString).deletingLastPathComponent
        return document.lines.enumerated().flatMap { number, line in
            line.matches(of: #/\]\(([^)\s]+)\)/#).compactMap { match -> Finding? in
                let link = match.1.prefix { $0 != "#" }
                guard !link.isEmpty, !link.contains("://"), !link.hasPrefix("mailto:") else { return nil }
                let path = (folder as NSString).appendingPathComponent(String(link))
                guard !exists(path) else { return nil }
                return Finding(rule: "link", place: "\(document.path):\(number + 1)", text: "leads nowhere: \(link)")
            }
        }
    }
}

func check(_ targets: [Target]) -> [Finding] {
    checkLayers(targets)
        + targets.flatMap { checkImports($0) + checkPurity($0) + checkDocumentedTypes($0) + checkReasons($0) }
}

// MARK: The package on disk

struct Manifest: Decodable {
    struct Target: Decodable {
        var name: String
        var type: String
        var path: String?
        var dependencies: [Dependency]
    }
    /// SwiftPM writes a dependency as `{"byName": ["Raft", null]}` or `{"product": ["Logging", "swift-log", …]}`.
    struct Dependency: Decodable {
        var name: String
        init(from decoder: any Decoder) throws {
            let kinds = try decoder.singleValueContainer().decode([String: Parts].self)
            name = kinds.values.first?.name ?? ""
        }
        struct Parts: Decodable {
            var name: String
            init(from decoder: any Decoder) throws {
                var parts = try decoder.unkeyedContainer()
                name = try parts.decode(String.self)
            }
        }
    }
    var targets: [Target]
}

func readManifest() throws -> Manifest {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["swift", "package", "dump-package"]
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try JSONDecoder().decode(Manifest.self, from: data)
}

func readFiles(under folder: String, withSuffix suffix: String) -> [SourceFile] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".build") }.sorted().compactMap { name in
        let path = folder == "." ? name : "\(folder)/\(name)"
        return (try? String(contentsOfFile: path, encoding: .utf8)).map { SourceFile(path: path, text: $0) }
    }
}

func readTargets() throws -> [Target] {
    try readManifest().targets.map { target in
        let isTest = target.type == "test"
        let folder = target.path ?? "\(isTest ? "Tests" : "Sources")/\(target.name)"
        return Target(
            name: target.name, isTest: isTest, dependencies: target.dependencies.map(\.name),
            files: readFiles(under: folder, withSuffix: ".swift"))
    }
}

// MARK: Self-test

/// One planted violation for every rule, and one clean twin that must stay silent.
func selfTest() -> [String] {
    func target(_ name: String, _ dependencies: [String] = [], test: Bool = false, text: String = "") -> Target {
        Target(name: name, isTest: test, dependencies: dependencies, files: [SourceFile(path: "planted", text: text)])
    }
    let planted: [(rule: String, targets: [Target])] = [
        ("layer", [target("Raft", ["RoostNode"])]),
        ("layer", [target("Unheard")]),
        ("layer", [target("RedisServer", ["KeyValue"]), target("KeyValue", ["RocksDB"])]),
        ("import", [target("Raft", text: "import NIOCore")]),
        ("import", [target("Raft", text: "public import struct Foundation.Date")]),
        ("import", [target("roostd", text: "@preconcurrency package import Logging")]),
        ("import", [target("RaftTests", test: true, text: "@testable import KeyValue")]),
        ("purity", [target("KeyValue", text: "let now = ContinuousClock().now")]),
        ("documentation", [target("Raft", text: "\n@frozen\npublic struct Naked {}")]),
        ("reason", [target("RocksDB", text: "\nfinal class Naked: @unchecked Sendable {}")]),
    ]
    let clean: [Target] = [
        target("Raft", ["ByteCoding"], text: "public import ByteCoding\n/// Text.\n@frozen\npublic struct Dressed {}"),
        target("KeyValue", text: "// ContinuousClock is not used here.\n\nimport Synchronization"),
        target("RocksDB", text: "/// Only the writer thread touches it.\nfinal class Dressed: @unchecked Sendable {}"),
        target("RaftTests", ["Raft"], test: true, text: "import Testing\n@testable import Raft\npublic struct Case {}"),
    ]
    var failures = planted.enumerated().compactMap { number, plant in
        check(plant.targets).contains { $0.rule == plant.rule } ? nil : "plant \(number) (\(plant.rule)) was not seen"
    }
    failures += check(clean).map { "a clean target was blamed: \($0)" }
    let document = SourceFile(
        path: "docs/a.md", text: "[x](gone.md) [y](b.md#part) [z](https://example.org) [w](#here)")
    let links = checkLinks([document]) { $0 == "docs/b.md" }
    if links.count != 1 { failures.append("links: expected 1 finding, saw \(links)") }
    return failures
}

// MARK: Main

if CommandLine.arguments.contains("--self-test") {
    let failures = selfTest()
    failures.forEach { print("tidy self-test: \($0)") }
    exit(failures.isEmpty ? 0 : 1)
}
let targets = try readTargets()
let documents = readFiles(under: ".", withSuffix: ".md")
let findings = check(targets) + checkLinks(documents) { FileManager.default.fileExists(atPath: $0) }
findings.forEach { print($0) }
let fileCount = targets.reduce(0) { $0 + $1.files.count }
print(
    "tidy: \(targets.count) targets, \(fileCount) source files, \(documents.count) documents, \(findings.count) findings"
)
exit(findings.isEmpty ? 0 : 1)
