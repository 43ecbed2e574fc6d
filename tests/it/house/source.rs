//! A tree of source files, parsed: its modules, what each defines and imports, and every path that is written in it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Meta, UseTree, Visibility};

/// A path by its segments. An absolute one begins with `crate` or with the name of another crate.
pub(super) type Path = Vec<String>;

/// A file below src/.
pub(super) struct File {
    /// Its path below src/.
    pub(super) name: String,
    /// How many lines of it are shipped: all but those of its tests.
    pub(super) lines: usize,
    /// Whether only tests see it, because a `#[cfg(test)] mod` declares it or a folder above it.
    pub(super) for_tests: bool,
    /// The types that it defines.
    pub(super) types: BTreeSet<String>,
    /// The methods that it calls, as often as it does.
    pub(super) methods: Vec<String>,
    /// The macros that it calls.
    pub(super) macros: BTreeSet<String>,
    /// The texts in macros that show a value as `{:?}` does, except where a fault of the program itself is reported.
    pub(super) debug_texts: Vec<String>,
    /// Every path in it, absolute, and the file that defines what it names, if that is one of these.
    pub(super) uses: BTreeMap<Path, Option<usize>>,
}

/// A module: a file, or a block in one.
#[derive(Default)]
struct Module {
    path: Path,
    file: Option<usize>,
    parent: usize,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    imports: BTreeMap<String, Path>,
    globs: Vec<Path>,
    written: Vec<Path>,
}

/// All files of src/, with every path followed to where its name is defined.
pub(super) struct Source {
    pub(super) files: Vec<File>,
    modules: Vec<Module>,
}

impl Source {
    /// Parses files, given by their path below src/ and their text.
    pub(super) fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut source = Self { files: Vec::new(), modules: vec![Module { path: path("crate"), ..Module::default() }] };
        let mut test_modules = Vec::new();
        for (name, text) in files {
            let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("src/{name}: {error}"));
            let file = source.files.len();
            source.files.push(File {
                name: name.to_owned(),
                lines: text.lines().count(),
                for_tests: false,
                types: BTreeSet::new(),
                methods: Vec::new(),
                macros: BTreeSet::new(),
                debug_texts: Vec::new(),
                uses: BTreeMap::new(),
            });
            let mut module = 0;
            let name = name.trim_end_matches(".rs").trim_end_matches("/mod");
            for part in name.split('/').filter(|part| *part != "lib") {
                module = source.child(module, part);
            }
            source.modules[module].file = Some(file);
            let mut reader = Reader { source: &mut source, file, module, test_modules: &mut test_modules };
            reader.visit_file(&parsed);
        }
        for file in &mut source.files {
            let at = file.name.trim_end_matches(".rs").trim_end_matches("/mod");
            file.for_tests = test_modules.iter().any(|module: &String| {
                at.strip_prefix(module.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
        }
        source.follow_all();
        source
    }

    /// The files that are shipped.
    pub(super) fn shipped(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| !file.for_tests)
    }

    /// The module of that name in a module, which may be new.
    fn child(&mut self, parent: usize, name: &str) -> usize {
        if let Some(child) = self.modules[parent].children.get(name) {
            return *child;
        }
        let path = [self.modules[parent].path.as_slice(), &[name.to_owned()]].concat();
        let child = self.modules.len();
        self.modules.push(Module { path, parent, ..Module::default() });
        self.modules[parent].children.insert(name.to_owned(), child);
        child
    }

    fn follow_all(&mut self) {
        for module in 0..self.modules.len() {
            let Some(file) = self.file_of(module) else { continue };
            let uses: Vec<_> = self.modules[module]
                .written
                .iter()
                .filter_map(|written| self.absolute(module, written, 0))
                .map(|path| {
                    let definition = self.definition(&path, 0);
                    (path, definition.and_then(|module| self.file_of(module)))
                })
                .collect();
            self.files[file].uses.extend(uses);
        }
    }

    /// The file that a module stands in.
    fn file_of(&self, mut module: usize) -> Option<usize> {
        while self.modules[module].file.is_none() && module != 0 {
            module = self.modules[module].parent;
        }
        self.modules[module].file
    }

    /// What a path in a module means, from the crate's root or from another crate's. `None` for a name that is neither
    /// imported nor defined there, such as a variable.
    fn absolute(&self, module: usize, written: &[String], depth: usize) -> Option<Path> {
        let here = &self.modules[module];
        let (first, rest) = written.split_first()?;
        let from = |module: &Module, rest: &[String]| [module.path.as_slice(), rest].concat();
        match first.as_str() {
            "crate" => Some(written.to_vec()),
            "self" => Some(from(here, rest)),
            "super" => {
                let mut above = here.parent;
                let supers = rest.iter().take_while(|part| *part == "super").count();
                for _ in 0..supers {
                    above = self.modules[above].parent;
                }
                Some(from(&self.modules[above], &rest[supers..]))
            }
            _ if depth > 16 => None,
            name => {
                if let Some(import) = here.imports.get(name).filter(|import| *import != written) {
                    return Some([self.absolute(module, import, depth + 1)?.as_slice(), rest].concat());
                }
                if here.children.contains_key(name) || here.items.contains(name) {
                    return Some(from(here, written));
                }
                let globs = here.globs.iter().filter_map(|glob| self.absolute(module, glob, depth + 1));
                let found = globs
                    .map(|glob| [glob.as_slice(), written].concat())
                    .find(|path| self.definition(path, depth + 1).is_some());
                found.or_else(|| (written.len() > 1).then(|| written.to_vec()))
            }
        }
    }

    /// The module that defines what an absolute path names: re-exports are followed. `None` for a module itself, for
    /// another crate's names, and for names that are not found.
    fn definition(&self, path: &[String], depth: usize) -> Option<usize> {
        let mut module = 0;
        let (first, mut rest) = path.split_first()?;
        if first != "crate" || depth > 16 {
            return None;
        }
        while let Some((name, after)) = rest.split_first() {
            let here = &self.modules[module];
            if let Some(child) = here.children.get(name) {
                (module, rest) = (*child, after);
            } else if here.items.contains(name) {
                return Some(module);
            } else if let Some(import) = here.imports.get(name) {
                let target = [self.absolute(module, import, depth + 1)?.as_slice(), after].concat();
                return self.definition(&target, depth + 1);
            } else {
                return here.globs.iter().find_map(|glob| {
                    let target = [self.absolute(module, glob, depth + 1)?.as_slice(), rest].concat();
                    self.definition(&target, depth + 1)
                });
            }
        }
        None
    }

    /// The files that a file needs: those that define what it names.
    pub(super) fn arrows(&self, file: usize) -> BTreeSet<usize> {
        self.files[file].uses.values().flatten().copied().filter(|to| *to != file).collect()
    }

    /// The circles of shipped files: each set in which every file needs every other, directly or through others.
    pub(super) fn circles(&self) -> Vec<Vec<&str>> {
        let arrows: Vec<_> = (0..self.files.len()).map(|file| self.arrows(file)).collect();
        let reach: Vec<_> = (0..self.files.len()).map(|file| reachable(&arrows, file)).collect();
        let mut circles = BTreeSet::new();
        for (file, reached) in reach.iter().enumerate().filter(|(file, _)| !self.files[*file].for_tests) {
            if reached.contains(&file) {
                let members = reached.iter().filter(|other| reach[**other].contains(&file));
                let mut names: Vec<_> = members.map(|other| self.files[*other].name.as_str()).collect();
                names.sort_unstable();
                circles.insert(names);
            }
        }
        circles.into_iter().collect()
    }

    /// The arrows between some files, with what is used.
    pub(super) fn arrows_within(&self, circle: &[&str]) -> Vec<String> {
        let members = self.files.iter().filter(|file| circle.contains(&file.name.as_str()));
        let arrows = members.flat_map(|file| {
            file.uses.iter().filter_map(|(path, to)| {
                let to = &self.files[(*to)?].name;
                (circle.contains(&to.as_str()) && *to != file.name)
                    .then(|| format!("{} -> {to}: {}", file.name, path.join("::")))
            })
        });
        arrows.collect()
    }
}

fn reachable(arrows: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(arrows[file].iter().filter(|to| reached.insert(**to)));
    }
    reached
}

/// Reads one file into the tree. What is for tests is left out.
struct Reader<'a> {
    source: &'a mut Source,
    file: usize,
    module: usize,
    test_modules: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn here(&mut self) -> &mut Module {
        &mut self.source.modules[self.module]
    }

    fn of_file(&mut self) -> &mut File {
        &mut self.source.files[self.file]
    }

    /// Whether an item is for tests; its lines are not shipped.
    fn is_for_tests(&mut self, item: &Item) -> bool {
        let (Item::Const(syn::ItemConst { attrs, .. })
        | Item::Enum(syn::ItemEnum { attrs, .. })
        | Item::Fn(syn::ItemFn { attrs, .. })
        | Item::Impl(syn::ItemImpl { attrs, .. })
        | Item::Macro(syn::ItemMacro { attrs, .. })
        | Item::Mod(syn::ItemMod { attrs, .. })
        | Item::Static(syn::ItemStatic { attrs, .. })
        | Item::Struct(syn::ItemStruct { attrs, .. })
        | Item::Trait(syn::ItemTrait { attrs, .. })
        | Item::Type(syn::ItemType { attrs, .. })
        | Item::Use(syn::ItemUse { attrs, .. })) = item
        else {
            return false;
        };
        let tests = is_cfg_test(attrs);
        if tests {
            let span = item.span();
            self.of_file().lines -= span.end().line + 1 - span.start().line;
            if let Item::Mod(module) = item
                && module.content.is_none()
            {
                let inside = [&self.here().path[1..], &[module.ident.to_string()]].concat();
                self.test_modules.push(inside.join("/"));
            }
        }
        tests
    }

    fn import(&mut self, tree: &UseTree, before: &[String], is_public: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(inner) => self.import(&inner.tree, &with(&inner.ident), is_public),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before, is_public)),
            UseTree::Glob(_) => {
                self.here().globs.push(before.to_vec());
                self.here().written.push([before, &path("*")].concat());
            }
            UseTree::Name(name) if name.ident == "self" => self.import_as(before.to_vec(), None, is_public),
            UseTree::Name(name) => self.import_as(with(&name.ident), None, is_public),
            UseTree::Rename(rename) => {
                let target = if rename.ident == "self" { before.to_vec() } else { with(&rename.ident) };
                self.import_as(target, Some(rename.rename.to_string()), is_public);
            }
        }
    }

    fn import_as(&mut self, target: Path, name: Option<String>, is_public: bool) {
        let name = name.or_else(|| target.last().cloned()).unwrap_or_default();
        self.here().imports.insert(name, target.clone());
        // A module that only hands on what its children define does not need them.
        let of_children = target[0] == "self" || self.here().children.contains_key(&target[0]) || {
            let parts = &self.here().path;
            target.len() > parts.len() && target.starts_with(parts)
        };
        if !(is_public && of_children) {
            self.here().written.push(target);
        }
    }

    /// The paths, macros and methods among tokens that are not parsed, such as those of a macro.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let is =
            |at: usize, mark: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == mark);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let begun = at;
            at += 1;
            match token {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(ident) => {
                    let mut found = vec![ident.to_string()];
                    while let (true, true, Some(TokenTree::Ident(next))) =
                        (is(at, ':'), is(at + 1, ':'), tokens.get(at + 2))
                    {
                        found.push(next.to_string());
                        at += 3;
                    }
                    if begun > 0 && is(begun - 1, '.') {
                        let calls = matches!(tokens.get(at), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                        if calls {
                            self.of_file().methods.push(ident.to_string());
                        }
                    } else if is(at, '!') && !is(at + 1, '=') {
                        self.of_file().macros.extend(found.last().cloned());
                        self.here().written.push(found);
                    } else if found.len() > 1 {
                        self.here().written.push(found);
                    }
                }
                TokenTree::Literal(literal) if shows_debug(&literal.to_string()) => {
                    self.of_file().debug_texts.push(literal.to_string());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        self.declare(&file.items);
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !self.is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if let Some((_, items)) = &module.content {
            let outside = self.module;
            self.module = self.source.child(outside, &module.ident.to_string());
            self.declare(items);
            items.iter().for_each(|item| self.visit_item(item));
            self.module = outside;
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let tests = match item {
            ImplItem::Fn(function) => is_cfg_test(&function.attrs),
            ImplItem::Const(constant) => is_cfg_test(&constant.attrs),
            _ => false,
        };
        if !tests {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.import(&import.tree, &[], !matches!(import.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.here().written.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.of_file().methods.push(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|name| name.ident.to_string()).unwrap_or_default();
        let shown = self.of_file().debug_texts.len();
        self.scan(call.tokens.clone());
        if name == "panic" || name.contains("assert") {
            self.of_file().debug_texts.truncate(shown);
        }
        self.of_file().macros.insert(name);
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }

    // `pub(in crate::domain)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

impl Reader<'_> {
    /// Notes what a module defines, before its paths are read.
    fn declare(&mut self, items: &[Item]) {
        for item in items {
            let (name, is_type) = match item {
                Item::Const(item) => (&item.ident, false),
                Item::Fn(item) => (&item.sig.ident, false),
                Item::Static(item) => (&item.ident, false),
                Item::Macro(item) => match &item.ident {
                    Some(name) => (name, false),
                    None => continue,
                },
                Item::Enum(item) => (&item.ident, true),
                Item::Struct(item) => (&item.ident, true),
                Item::Trait(item) => (&item.ident, true),
                Item::Type(item) => (&item.ident, true),
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    self.source.child(self.module, &name);
                    continue;
                }
                _ => continue,
            };
            let name = name.to_string();
            if is_type {
                self.of_file().types.insert(name.clone());
            }
            self.here().items.insert(name);
        }
    }
}

/// What is left behind in a file: skipped tests, and code that is still to be written.
pub(super) fn leftovers(file: &str, text: &str) -> Vec<String> {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut finder = Leftovers { file, found: Vec::new() };
    finder.visit_file(&parsed);
    finder.found
}

struct Leftovers<'a> {
    file: &'a str,
    found: Vec<String>,
}

impl Leftovers<'_> {
    fn found(&mut self, what: &str) {
        self.found.push(format!("{}: {what}", self.file));
    }

    /// Looks at tokens that are not parsed: calls in a macro's arguments, tests that a macro makes.
    fn scan(&mut self, tokens: TokenStream) {
        let mut before = None;
        for token in tokens {
            match (before.take(), &token) {
                (Some(TokenTree::Ident(name)), TokenTree::Punct(mark)) if mark.as_char() == '!' => {
                    self.macro_called(&name)
                }
                (Some(TokenTree::Punct(mark)), TokenTree::Group(group)) if mark.as_char() == '#' => {
                    match group.stream().into_iter().next() {
                        Some(TokenTree::Ident(name)) if name == "ignore" => self.found("#[ignore"),
                        _ => {}
                    }
                }
                (_, TokenTree::Group(group)) => self.scan(group.stream()),
                _ => {}
            }
            before = Some(token);
        }
    }

    fn macro_called(&mut self, name: &syn::Ident) {
        if name == "todo" || name == "unimplemented" {
            self.found(&format!("{name}!("));
        }
    }
}

impl<'ast> Visit<'ast> for Leftovers<'_> {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("ignore") {
            self.found("#[ignore");
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.segments.last() {
            self.macro_called(&name.ident);
        }
        self.scan(call.tokens.clone());
    }
}

/// Whether a format has a hole such as `{:?}` or `{name:#?}`.
fn shows_debug(format: &str) -> bool {
    let mut holes = format.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    holes.any(|(hole, _)| hole.split_once(':').is_some_and(|(_, how)| how.ends_with('?')))
}

fn is_cfg_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

fn path(name: &str) -> Path {
    vec![name.to_owned()]
}
