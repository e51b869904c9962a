//! What a browser does with a patch, on plain JSON: the judge of the tests. Here because a patch is right if, and only if,
//! applying it gives the values of the newer view. It knows nothing of how patches are made.

use flin_runtime::json::Json;
use flin_runtime::vm::bytecode::template::{PlaceKind, Template};

/// The values after a patch of the root block.
pub(super) fn apply(templates: &[Template], values: Json, patch: &Json) -> Json {
    block(templates, values, patch)
}

fn block(templates: &[Template], value: Json, patch: &Json) -> Json {
    let (Json::List(mut parts), Json::Object(patches)) = (value, patch) else {
        panic!("a block is a list, its patch an object");
    };
    let Json::Int(template) = parts[0] else {
        panic!("a block begins with the number of its template");
    };
    let places = &templates[usize::try_from(template).unwrap()].places;
    for (place, patch) in patches {
        let place: usize = place.parse().unwrap();
        let old = std::mem::replace(&mut parts[place + 1], Json::Null);
        parts[place + 1] = match (&places[place].kind, patch) {
            (PlaceKind::Attributes, Json::Object(names)) => attributes(old, names),
            (PlaceKind::Block(_), Json::Object(_)) => block(templates, old, patch),
            (PlaceKind::List(_), Json::Object(_)) => list(templates, old, patch),
            (_, whole) => whole.clone(),
        };
    }
    Json::List(parts)
}

fn attributes(old: Json, names: &[(String, Json)]) -> Json {
    let Json::Object(mut entries) = old else {
        panic!("attributes are an object");
    };
    for (name, value) in names {
        entries.retain(|(known, _)| known != name);
        if *value != Json::Null {
            entries.push((name.clone(), value.clone()));
        }
    }
    // Their order means nothing.
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(entries)
}

fn list(templates: &[Template], old: Json, patch: &Json) -> Json {
    let (Json::List(mut items), Some(Json::List(ops))) = (old, patch.get("ops")) else {
        panic!("a list has operations");
    };
    assert!(!ops.is_empty(), "an empty patch is none");
    let at = |items: &[Json], key: &Json| {
        let found = items.iter().position(|item| key_of(item) == key);
        found.unwrap_or_else(|| panic!("no item {key:?}"))
    };
    for op in ops {
        let Json::List(op) = op else {
            panic!("an operation is a list");
        };
        let key = &op[1];
        let before = |items: &[Json]| match &op[2] {
            Json::Null => items.len(),
            key => at(items, key),
        };
        match op[0].as_text() {
            Some("d") => drop(items.remove(at(&items, key))),
            Some("i") => {
                assert!(
                    items.iter().all(|item| key_of(item) != key),
                    "twice {key:?}"
                );
                let place = before(&items);
                items.insert(place, Json::List(vec![key.clone(), op[3].clone()]));
            }
            Some("m") => {
                let item = items.remove(at(&items, key));
                let place = before(&items);
                items.insert(place, item);
            }
            Some("p") => {
                let place = at(&items, key);
                let Json::List(item) = &mut items[place] else {
                    panic!("an item is a list");
                };
                item[1] = block(templates, item[1].clone(), &op[2]);
            }
            other => panic!("an operation of this name: {other:?}"),
        }
    }
    Json::List(items)
}

fn key_of(item: &Json) -> &Json {
    match item {
        Json::List(item) => &item[0],
        other => panic!("an item is a list: {other:?}"),
    }
}
