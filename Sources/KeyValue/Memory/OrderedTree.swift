package import ByteCoding

/// An ordered map of byte strings whose every version stays as it was: a balanced (AVL) tree whose changes copy the path
/// from the root and share the rest. So a snapshot is one reference, and readers need no lock.
///
/// The changes that cut are made of `join`, after Blelloch, Ferizovic and Sun, "Just Join for Parallel Ordered Sets" (2016): look-up,
/// put and delete cost O(log n), and so does the removal of a range, whatever its length.
package struct OrderedTree: Sendable {
    private var root: Node?

    package init() {}

    package var isEmpty: Bool { root == nil }

    /// The value of `key`; `nil` when absent.
    package func value(of key: UnsafeRawBufferPointer) -> Bytes? {
        var node = root
        while let current = node {
            let order = current.key.withUnsafeBytes { compare(key, $0) }
            if order == 0 { return current.value }
            node = order < 0 ? current.left : current.right
        }
        return nil
    }

    /// Gives `body` each pair with `lower <= key < upper`, ascending, until it returns false.
    package func scan(from lower: Bytes, to upper: Bytes, _ body: (_ key: Bytes, _ value: Bytes) -> Bool) {
        _ = Node.scan(root, lower, upper, body)
    }

    package mutating func put(_ key: Bytes, _ value: Bytes) { root = Node.putting(key, value, into: root) }

    package mutating func delete(_ key: Bytes) {
        let (left, found, right) = Node.split(root, at: key)
        if found != nil { root = Node.join(left, right) }
    }

    /// Removes `lower <= key < upper`.
    package mutating func deleteRange(from lower: Bytes, to upper: Bytes) {
        guard lower < upper else { return }
        let (before, _, fromLower) = Node.split(root, at: lower)
        let (_, atUpper, after) = Node.split(fromLower, at: upper)
        let tail = atUpper.map { Node.join(nil, $0.key, $0.value, after) } ?? after
        root = Node.join(before, tail)
    }

    /// Stops the process if the tree is out of order or out of balance; for tests.
    package func checkInvariants() { _ = Node.checkedHeight(root, above: nil, below: nil) }
}

/// Bytewise order, a prefix before its extensions: negative, zero or positive.
private func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    var offset = 0
    while common - offset >= 8 {
        let x = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let y = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        if x != y { return x < y ? -1 : 1 }
        offset += 8
    }
    while offset < common {
        if a[offset] != b[offset] { return Int(a[offset]) - Int(b[offset]) }
        offset += 1
    }
    return a.count - b.count
}

private func compare(_ a: Bytes, _ b: Bytes) -> Int {
    a.withUnsafeBytes { a in b.withUnsafeBytes { compare(a, $0) } }
}

/// A node never changes; an empty tree is `nil`.
private final class Node: Sendable {
    let left: Node?
    let key: Bytes
    let value: Bytes
    let right: Node?
    let height: Int

    init(_ left: Node?, _ key: Bytes, _ value: Bytes, _ right: Node?) {
        self.left = left
        self.key = key
        self.value = value
        self.right = right
        height = 1 + max(left?.height ?? 0, right?.height ?? 0)
    }

    static func putting(_ key: Bytes, _ value: Bytes, into node: Node?) -> Node {
        guard let node else { return Node(nil, key, value, nil) }
        let order = compare(key, node.key)
        if order == 0 { return Node(node.left, key, value, node.right) }
        if order < 0 { return balanced(putting(key, value, into: node.left), node.key, node.value, node.right) }
        return balanced(node.left, node.key, node.value, putting(key, value, into: node.right))
    }

    /// All of `left`, the pair, all of `right`, whose keys must lie in this order; the heights may be any.
    static func join(_ left: Node?, _ key: Bytes, _ value: Bytes, _ right: Node?) -> Node {
        let (leftHeight, rightHeight) = (left?.height ?? 0, right?.height ?? 0)
        if let left, leftHeight > rightHeight + 1 {
            return balanced(left.left, left.key, left.value, join(left.right, key, value, right))
        }
        if let right, rightHeight > leftHeight + 1 {
            return balanced(join(left, key, value, right.left), right.key, right.value, right.right)
        }
        return Node(left, key, value, right)
    }

    /// All of `left`, then all of `right`.
    static func join(_ left: Node?, _ right: Node?) -> Node? {
        guard let left else { return right }
        let (rest, last) = removingLast(left)
        return join(rest, last.key, last.value, right)
    }

    private static func removingLast(_ node: Node) -> (rest: Node?, last: Node) {
        guard let right = node.right else { return (node.left, node) }
        let (rest, last) = removingLast(right)
        return (join(node.left, node.key, node.value, rest), last)
    }

    /// Two trees whose heights differ by at most 2 and the pair between them, with the one or two rotations of AVL.
    private static func balanced(_ left: Node?, _ key: Bytes, _ value: Bytes, _ right: Node?) -> Node {
        let (leftHeight, rightHeight) = (left?.height ?? 0, right?.height ?? 0)
        if let left, leftHeight > rightHeight + 1 {
            guard let inner = left.right, inner.height > left.left?.height ?? 0 else {
                return Node(left.left, left.key, left.value, Node(left.right, key, value, right))
            }
            let outer = Node(left.left, left.key, left.value, inner.left)
            return Node(outer, inner.key, inner.value, Node(inner.right, key, value, right))
        }
        if let right, rightHeight > leftHeight + 1 {
            guard let inner = right.left, inner.height > right.right?.height ?? 0 else {
                return Node(Node(left, key, value, right.left), right.key, right.value, right.right)
            }
            let outer = Node(inner.right, right.key, right.value, right.right)
            return Node(Node(left, key, value, inner.left), inner.key, inner.value, outer)
        }
        return Node(left, key, value, right)
    }

    /// What lies before `key`, at it, and behind it.
    static func split(_ node: Node?, at key: Bytes) -> (left: Node?, found: Node?, right: Node?) {
        guard let node else { return (nil, nil, nil) }
        let order = compare(key, node.key)
        if order == 0 { return (node.left, node, node.right) }
        if order < 0 {
            let (left, found, right) = split(node.left, at: key)
            return (left, found, join(right, node.key, node.value, node.right))
        }
        let (left, found, right) = split(node.right, at: key)
        return (join(node.left, node.key, node.value, left), found, right)
    }

    /// False once `body` wanted no more.
    static func scan(_ node: Node?, _ lower: Bytes, _ upper: Bytes, _ body: (Bytes, Bytes) -> Bool) -> Bool {
        guard let node else { return true }
        let isAboveLower = compare(node.key, lower) >= 0
        let isBelowUpper = compare(node.key, upper) < 0
        if isAboveLower, !scan(node.left, lower, upper, body) { return false }
        if isAboveLower, isBelowUpper, !body(node.key, node.value) { return false }
        return !isBelowUpper || scan(node.right, lower, upper, body)
    }

    static func checkedHeight(_ node: Node?, above: Bytes?, below: Bytes?) -> Int {
        guard let node else { return 0 }
        precondition(above.map { $0 < node.key } ?? true, "a key is not above the one on its left")
        precondition(below.map { node.key < $0 } ?? true, "a key is not below the one on its right")
        let left = checkedHeight(node.left, above: above, below: node.key)
        let right = checkedHeight(node.right, above: node.key, below: below)
        precondition(abs(left - right) <= 1, "subtrees of heights \(left) and \(right)")
        precondition(node.height == 1 + max(left, right), "height \(node.height) over \(left) and \(right)")
        return node.height
    }
}
