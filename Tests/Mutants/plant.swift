// Plants every mutant of a folder into a copy of the sources, each behind a switch, so that one build holds them all.
//
//   swift Tests/Mutants/plant.swift MUTANTS-FOLDER TREE      edits TREE/Sources; prints
//                                                            "number<TAB>name<TAB>caught by<TAB>title"
//
// A mutant is a text file:
//
//   title: one sentence that says what is wrong
//   caught by: names of the invariants, comma-separated
//   file: Sources/...
//   --- right
//   lines that occur exactly once in that file
//   --- wrong
//   lines that take their place; MUTANT stands for "this mutant is on"
//
// `file`, `right` and `wrong` may repeat. Whatever does not fit is an error: a mutant that can't be planted proves nothing.
import Foundation

struct Failure: Error { var text: String }

struct Edit {
    var file: String
    var right = ""
    var wrong = ""
}

struct Mutant {
    var name: String
    var title = ""
    var caughtBy = ""
    var edits: [Edit] = []
}

func parse(_ path: String, name: String) throws -> Mutant {
    var mutant = Mutant(name: name)
    enum Part { case head, right, wrong }
    var part = Part.head
    for line in try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n") {
        switch line {
        case "--- right":
            guard !mutant.edits.isEmpty else { throw Failure(text: "\(name): no file is named before its text") }
            if part == .wrong { mutant.edits.append(Edit(file: mutant.edits.last!.file)) }
            part = .right
        case "--- wrong": part = .wrong
        case _ where line.hasPrefix("file: "):
            mutant.edits.append(Edit(file: String(line.dropFirst(6))))
            part = .head
        default:
            switch part {
            case .head:
                if line.hasPrefix("title: ") { mutant.title = String(line.dropFirst(7)) }
                if line.hasPrefix("caught by: ") { mutant.caughtBy = String(line.dropFirst(11)) }
            case .right: mutant.edits[mutant.edits.count - 1].right += line + "\n"
            case .wrong: mutant.edits[mutant.edits.count - 1].wrong += line + "\n"
            }
        }
    }
    guard !mutant.title.isEmpty, !mutant.caughtBy.isEmpty, !mutant.edits.isEmpty,
        mutant.edits.allSatisfy({ !$0.right.isEmpty })
    else {
        throw Failure(text: "\(name): title, caught by, file, right and wrong are needed")
    }
    return mutant
}

func plant(_ mutant: Mutant, number: Int, in tree: String) throws {
    for edit in mutant.edits {
        let path = tree + "/" + edit.file
        var text = try String(contentsOfFile: path, encoding: .utf8)
        let right = edit.right.trimmingCharacters(in: .newlines)
        let places = text.components(separatedBy: right).count - 1
        guard places == 1 else {
            throw Failure(text: "\(mutant.name): its lines occur \(places) times in \(edit.file)")
        }
        let wrong = edit.wrong.trimmingCharacters(in: .newlines)
            .replacingOccurrences(of: "MUTANT", with: "Mutant.isOn(\(number))")
        text = text.replacingOccurrences(of: right, with: wrong)
        let isImported = text.components(separatedBy: "\n").contains { $0.hasSuffix("import ByteCoding") }
        if !isImported, !edit.file.contains("/ByteCoding/") { text = "import ByteCoding\n" + text }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}

/// The switch, in the one module that everything imports: an environment variable names the mutant that is on.
let switchSource = """
    import Glibc

    public enum Mutant {
        private static let active = getenv("ROOST_MUTANT").flatMap { Int(String(cString: $0)) } ?? 0
        public static func isOn(_ number: Int) -> Bool { active == number }
    }

    """

do {
    guard CommandLine.arguments.count == 3 else { throw Failure(text: "usage: plant.swift MUTANTS-FOLDER TREE") }
    let (folder, tree) = (CommandLine.arguments[1], CommandLine.arguments[2])
    try switchSource.write(toFile: tree + "/Sources/ByteCoding/Mutant.swift", atomically: true, encoding: .utf8)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".mutant") }.sorted()
    for (position, file) in files.enumerated() {
        let mutant = try parse(folder + "/" + file, name: String(file.dropLast(7)))
        try plant(mutant, number: position + 1, in: tree)
        print("\(position + 1)\t\(mutant.name)\t\(mutant.caughtBy)\t\(mutant.title)")
    }
} catch {
    let text = (error as? Failure)?.text ?? "\(error)"
    FileHandle.standardError.write(Data("plant: \(text)\n".utf8))
    exit(1)
}
