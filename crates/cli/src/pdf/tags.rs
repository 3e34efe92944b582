//! The logical structure of the document beside its looks: what is a heading, a cell, a link.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree};

/// A node of the structure.
pub(super) type NodeId = usize;

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Root,
    Heading(u16, String),
    Paragraph,
    List(bool),
    Item,
    Label,
    Body,
    Table,
    Caption,
    Head,
    Rows,
    Row,
    ColumnHead,
    RowHead,
    Cell,
    Contents,
    Entry,
    Link,
}

#[derive(Debug, Clone, Copy)]
enum Child {
    Node(NodeId),
    Leaf(Identifier),
}

/// The structure while it grows: nodes as the flow makes them, leaves as they are drawn.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<(Kind, Vec<Child>)>,
}

impl Tree {
    pub(super) const ROOT: NodeId = 0;

    pub(super) fn new() -> Self {
        Self {
            nodes: vec![(Kind::Root, Vec::new())],
        }
    }

    /// A new node at the end of `parent`.
    pub(super) fn add(&mut self, parent: NodeId, kind: Kind) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push((kind, Vec::new()));
        self.nodes[parent].1.push(Child::Node(id));
        id
    }

    /// Something drawn, at the end of `parent`.
    pub(super) fn leaf(&mut self, parent: NodeId, leaf: Identifier) {
        self.nodes[parent].1.push(Child::Leaf(leaf));
    }

    /// The tree as krilla wants it.
    pub(super) fn finish(mut self, language: &str) -> TagTree {
        let mut tree = TagTree::new().with_lang(Some(language.to_owned()));
        for child in std::mem::take(&mut self.nodes[Self::ROOT].1) {
            if let Some(node) = self.node(child) {
                tree.push(node);
            }
        }
        tree
    }

    fn node(&mut self, child: Child) -> Option<Node> {
        let id = match child {
            Child::Leaf(leaf) => return Some(Node::Leaf(leaf)),
            Child::Node(id) => id,
        };
        let (kind, children) = std::mem::replace(&mut self.nodes[id], (Kind::Root, Vec::new()));
        let children: Vec<Node> = children.into_iter().filter_map(|child| self.node(child)).collect();
        (!children.is_empty()).then(|| Node::Group(TagGroup::with_children(tag(kind), children)))
    }
}

fn tag(kind: Kind) -> TagKind {
    match kind {
        Kind::Root => Tag::Div.into(),
        Kind::Heading(level, title) => Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(title)).into(),
        Kind::Paragraph => Tag::P.into(),
        Kind::List(true) => Tag::L(ListNumbering::Decimal).into(),
        Kind::List(false) => Tag::L(ListNumbering::Disc).into(),
        Kind::Item => Tag::LI.into(),
        Kind::Label => Tag::Lbl.into(),
        Kind::Body => Tag::LBody.into(),
        Kind::Table => Tag::Table.into(),
        Kind::Caption => Tag::Caption.into(),
        Kind::Head => Tag::THead.into(),
        Kind::Rows => Tag::TBody.into(),
        Kind::Row => Tag::TR.into(),
        Kind::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
        Kind::RowHead => Tag::TH(TableHeaderScope::Row).into(),
        Kind::Cell => Tag::TD.into(),
        Kind::Contents => Tag::TOC.into(),
        Kind::Entry => Tag::TOCI.into(),
        Kind::Link => Tag::Link.into(),
    }
}
