//! Links between records, in scripts over the real store. The story: `delete` of a record that others link to was refused
//! only when the transaction ended, where no `try` could catch it. Must stay true: the error stands at the `delete`, and
//! whoever deletes the linking records first may delete the record in the same transaction.

use flin_testkit::process;

const PROGRAM: &str = r#"
entity Author { name: text }
entity Book { author: Author @required }
entity Note { author: Author @on_delete("set_none") }

fn retire(author: Author) {
  for book in Book.where(b => b.author == author) { delete book }
  delete author
}

ada = save Author { name: "Ada" }
save Book { author: ada }
note = save Note { author: ada }
r = try delete ada
if r is error { print("{r.kind}: {r.message} ({r.entity}.{r.field}, {r.rule})") }
print(Author.count)
retire(ada)
print("{Author.count} {Book.count} {Note.first.author == none}")
"#;

#[test]
fn a_refused_delete_is_caught_where_it_stands() {
    let dir = std::env::temp_dir().join(format!("flin-links-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder for the test");
    std::fs::write(dir.join("links.flin"), PROGRAM).expect("the program is written");
    let output = process::run("flinvm", &["run", "links.flin"], &dir);
    std::fs::remove_dir_all(&dir).expect("the folder is removed");
    let expected = "\
ValidationError: Author 1 cannot be deleted: Book 1 links to it in author (Book.author, on_delete)
1
0 0 true
";
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        printed,
        expected,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
