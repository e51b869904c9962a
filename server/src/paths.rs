//! Which page or route answers a path. Must stay true: a page and a route of the same path and method are refused at the
//! start, with a sentence; a known path with another method is known.

use flin_runtime::vm::bytecode::module::Module;

use crate::guard::path_param;

/// All paths of a program.
pub(crate) struct Paths {
    router: matchit::Router<usize>,
    entries: Vec<PathEntry>,
}

/// One path pattern: at most one page and any number of routes.
#[derive(Debug, Default)]
pub(crate) struct PathEntry {
    pattern: String,
    pub(crate) page: Option<usize>,
    // Method, index into `Module::routes`, names of the parameters.
    routes: Vec<(String, usize, Vec<String>)>,
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
            router: matchit::Router::new(),
            entries: Vec::new(),
        };
        for (index, page) in module.pages.iter().enumerate() {
            let (entry, _) = paths.entry(&page.path)?;
            if entry.page.replace(index).is_some() {
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
        let mut names = Vec::new();
        let mut pattern = String::new();
        for segment in path.split('/').skip(1) {
            pattern.push('/');
            match segment.strip_prefix(':') {
                Some(name) => {
                    pattern.push_str(&format!("{{p{}}}", names.len()));
                    names.push(name.to_owned());
                }
                None => pattern.push_str(&segment.replace('{', "{{").replace('}', "}}")),
            }
        }
        if !path.starts_with('/') {
            return Err(format!("the path {path} does not start with /"));
        }
        let known = self
            .entries
            .iter()
            .position(|entry| entry.pattern == pattern);
        let index = match known {
            Some(index) => index,
            None => {
                let index = self.entries.len();
                let added = self.router.insert(pattern.clone(), index);
                added.map_err(|error| {
                    format!("the path {path} cannot stand beside the others: {error}")
                })?;
                self.entries.push(PathEntry {
                    pattern,
                    ..PathEntry::default()
                });
                index
            }
        };
        Ok((&mut self.entries[index], names))
    }

    /// Looks up a decoded path.
    pub(crate) fn find(&self, path: &str) -> Option<Found<'_>> {
        let matched = self.router.at(path).ok()?;
        let params = matched
            .params
            .iter()
            .map(|(_, value)| path_param(value))
            .collect();
        Some(Found {
            entry: &self.entries[*matched.value],
            params,
        })
    }

    /// The page of exactly this path.
    pub(crate) fn page(&self, path: &str) -> Option<usize> {
        self.find(path)?.entry.page
    }
}

impl Found<'_> {
    /// The route of a method with its parameters by name.
    pub(crate) fn route(&self, method: &str) -> Option<(usize, Vec<(String, String)>)> {
        let (_, index, names) = self
            .entry
            .routes
            .iter()
            .find(|(known, ..)| known == method)?;
        Some((
            *index,
            names
                .iter()
                .cloned()
                .zip(self.params.iter().cloned())
                .collect(),
        ))
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
