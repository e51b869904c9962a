//! Which page or route answers a path. Must stay true: a page and a route of the same path and method are refused at the
//! start, with a sentence; a known path with another method is known.

use std::collections::HashMap;

use flin_runtime::vm::bytecode::module::Module;
use hyper::Uri;

use crate::guard::{decode_path, encode_path, path_param};

/// All paths of a program.
pub(crate) struct Paths {
    // The first is the root, above the first part of every path.
    nodes: Vec<Node>,
    entries: Vec<PathEntry>,
}

/// A place in the tree of all path patterns, one level per part of a path. (A tree of our own, because the usual router
/// crates refuse `/b/:id` beside `/b/*rest`.)
#[derive(Debug, Default)]
struct Node {
    fixed: HashMap<String, usize>,
    // `:name`
    part: Option<usize>,
    // `*name`: the entry.
    rest: Option<usize>,
    // The pattern that ends here.
    entry: Option<usize>,
}

/// One path pattern: at most one page and any number of routes.
#[derive(Debug, Default)]
pub(crate) struct PathEntry {
    // Index into `Module::pages`, names of the parameters.
    page: Option<(usize, Vec<String>)>,
    // Method, index into `Module::routes`, names of the parameters.
    routes: Vec<(String, usize, Vec<String>)>,
}

/// A page at one of its addresses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Visit {
    /// Index into `Module::pages`.
    pub(crate) page: usize,
    /// The path as it stands in a link.
    pub(crate) path: String,
    /// The variable parts of the path by name, decoded.
    pub(crate) params: Vec<(String, String)>,
}

/// A path that was found.
pub(crate) struct Found<'a> {
    pub(crate) entry: &'a PathEntry,
    params: Vec<String>,
}

impl Paths {
    /// The table of a program; an error says which two paths are in each other's way.
    pub(crate) fn new(module: &Module) -> Result<Paths, String> {
        let mut paths = Paths {
            nodes: vec![Node::default()],
            entries: Vec::new(),
        };
        for (index, page) in module.pages.iter().enumerate() {
            let (entry, names) = paths.entry(&page.path)?;
            if entry.page.replace((index, names)).is_some() {
                return Err(format!("there are two pages for the path {}", page.path));
            }
        }
        for (index, route) in module.routes.iter().enumerate() {
            let (entry, names) = paths.entry(&route.path)?;
            if entry
                .routes
                .iter()
                .any(|(method, ..)| *method == route.method)
            {
                return Err(format!(
                    "there are two routes for {} {}",
                    route.method, route.path
                ));
            }
            if route.method == "GET" && entry.page.is_some() {
                return Err(format!(
                    "there is a page and a GET route for the path {}",
                    route.path
                ));
            }
            entry.routes.push((route.method.clone(), index, names));
        }
        Ok(paths)
    }

    // Parameters are matched by place, so that each route of a path may name them its own way.
    fn entry(&mut self, path: &str) -> Result<(&mut PathEntry, Vec<String>), String> {
        if !path.starts_with('/') {
            return Err(format!("the path {path} does not start with /"));
        }
        let mut names = Vec::new();
        let mut at = 0;
        let mut end = None;
        for segment in path.split('/').skip(1) {
            let free = self.nodes.len();
            let node = &mut self.nodes[at];
            if let Some(name) = segment.strip_prefix('*') {
                names.push(name.to_owned());
                end = Some(*node.rest.get_or_insert(self.entries.len()));
                break;
            }
            at = match segment.strip_prefix(':') {
                Some(name) => {
                    names.push(name.to_owned());
                    *node.part.get_or_insert(free)
                }
                None => *node.fixed.entry(segment.to_owned()).or_insert(free),
            };
            if at == free {
                self.nodes.push(Node::default());
            }
        }
        let free = self.entries.len();
        let index = end.unwrap_or_else(|| *self.nodes[at].entry.get_or_insert(free));
        if index == free {
            self.entries.push(PathEntry::default());
        }
        Ok((&mut self.entries[index], names))
    }

    // What is fixed is tried first, then a part of any value, then the rest; each node is met at most once per level.
    fn search(&self, at: usize, left: &[&str], params: &mut Vec<String>) -> Option<usize> {
        let node = &self.nodes[at];
        let Some((segment, behind)) = left.split_first() else {
            return node.entry;
        };
        let fixed = node.fixed.get(*segment);
        if let Some(found) = fixed.and_then(|next| self.search(*next, behind, params)) {
            return Some(found);
        }
        if segment.is_empty() {
            return None;
        }
        let known = params.len();
        if let Some(part) = node.part {
            params.push(path_param(segment));
            if let Some(found) = self.search(part, behind, params) {
                return Some(found);
            }
            params.truncate(known);
        }
        let rest = node.rest?;
        params.push(path_param(&left.join("/")));
        Some(rest)
    }

    /// Looks up a decoded path.
    pub(crate) fn find(&self, path: &str) -> Option<Found<'_>> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let mut params = Vec::new();
        let index = self.search(0, &segments, &mut params)?;
        Some(Found {
            entry: &self.entries[index],
            params,
        })
    }

    /// The page of a path as it stands in an address, or as people write it.
    pub(crate) fn visit_named(&self, given: &str) -> Option<Visit> {
        // Without its slash it would be read as the name of a host.
        let path = Some(given).filter(|given| given.starts_with('/'));
        let decoded = path.and_then(|path| path.parse::<Uri>().ok());
        let decoded = decoded.and_then(|uri| decode_path(&uri).ok());
        decoded
            .and_then(|path| self.visit(&path))
            .or_else(|| self.visit(given))
    }

    /// The page that a decoded path leads to.
    pub(crate) fn visit(&self, path: &str) -> Option<Visit> {
        self.find(path)?.visit(path)
    }
}

impl Found<'_> {
    /// The page, if there is one; `path` is the decoded path that was found.
    pub(crate) fn visit(&self, path: &str) -> Option<Visit> {
        let (page, names) = self.entry.page.as_ref()?;
        Some(Visit {
            page: *page,
            path: encode_path(path),
            params: self.by_name(names),
        })
    }

    fn by_name(&self, names: &[String]) -> Vec<(String, String)> {
        names
            .iter()
            .cloned()
            .zip(self.params.iter().cloned())
            .collect()
    }

    /// The route of a method with its parameters by name.
    pub(crate) fn route(&self, method: &str) -> Option<(usize, Vec<(String, String)>)> {
        let (_, index, names) = self
            .entry
            .routes
            .iter()
            .find(|(known, ..)| known == method)?;
        Some((*index, self.by_name(names)))
    }

    /// The methods that this path knows, for `Allow`.
    pub(crate) fn methods(&self) -> String {
        let mut methods: Vec<&str> = self
            .entry
            .routes
            .iter()
            .map(|(method, ..)| method.as_str())
            .collect();
        if self.entry.page.is_some() {
            methods.push("GET");
        }
        if methods.contains(&"GET") && !methods.contains(&"HEAD") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flin_runtime::vm::bytecode::ids::FuncId;
    use flin_runtime::vm::bytecode::module::Route;

    fn module(routes: &[(&str, &str)]) -> Module {
        let route = |(method, path): &(&str, &str)| Route {
            method: (*method).to_owned(),
            path: (*path).to_owned(),
            func: FuncId(0),
            variables: Vec::new(),
            injected: Vec::new(),
            line: 1,
        };
        Module {
            routes: routes.iter().map(route).collect(),
            ..Module::default()
        }
    }

    #[test]
    fn each_route_names_its_own_parameters() {
        let paths = Paths::new(&module(&[
            ("GET", "/b/:id"),
            ("PUT", "/b/:book"),
            ("GET", "/b/new"),
            ("POST", "/b"),
        ]))
        .unwrap();
        let found = paths.find("/b/7").unwrap();
        assert_eq!(
            found.route("GET"),
            Some((0, vec![("id".into(), "7".into())]))
        );
        assert_eq!(
            found.route("PUT"),
            Some((1, vec![("book".into(), "7".into())]))
        );
        assert_eq!(found.route("DELETE"), None);
        assert_eq!(found.methods(), "GET, HEAD, OPTIONS, PUT");
        assert_eq!(
            paths.find("/b/new").unwrap().route("GET"),
            Some((2, Vec::new()))
        );
        assert_eq!(paths.find("/b").unwrap().methods(), "OPTIONS, POST");
        assert!(
            paths.find("/b/7/x").is_none()
                && paths.find("/").is_none()
                && paths.find("/b/").is_none()
        );
    }

    #[test]
    fn what_is_fixed_comes_before_a_part_and_a_part_before_the_rest() {
        let paths = Paths::new(&module(&[
            ("GET", "/b/*rest"),
            ("GET", "/b/:id"),
            ("GET", "/b/new"),
            ("GET", "/b/:id/edit"),
        ]))
        .unwrap();
        let found = |path: &str| paths.find(path).and_then(|found| found.route("GET"));
        let with = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(found("/b/new"), Some((2, Vec::new())));
        assert_eq!(found("/b/newer"), Some((1, with("id", "newer"))));
        assert_eq!(found("/b/7/edit"), Some((3, with("id", "7"))));
        assert_eq!(found("/b/7/more"), Some((0, with("rest", "7/more"))));
        assert_eq!(
            found("/b/new/more/of"),
            Some((0, with("rest", "new/more/of")))
        );
        assert_eq!(found("/b"), None);
    }

    #[test]
    fn two_of_one_method_are_refused() {
        let refused = Paths::new(&module(&[("GET", "/b/:id"), ("GET", "/b/:other")]));
        assert!(
            refused
                .err()
                .unwrap()
                .contains("two routes for GET /b/:other")
        );
        assert!(Paths::new(&module(&[("GET", "b")])).is_err());
    }
}
