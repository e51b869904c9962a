//! The application of `pages/notes.flin` as one would write it with axum and SQLite. Must stay true: one thread writes, and what
//! queued up while a transaction was synced is the next transaction; every answer follows its sync; statements are kept; text is
//! escaped.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::super::Failure;

const SETTINGS: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;
    CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT, done INTEGER NOT NULL DEFAULT 0);";

/// Creations that go into one transaction at most.
const GROUP: usize = 256;

#[derive(Deserialize)]
struct NewNote {
    title: String,
    body: Option<String>,
}

#[derive(Serialize)]
struct Created {
    id: i64,
}

type Wish = (NewNote, oneshot::Sender<rusqlite::Result<i64>>);

#[derive(Clone)]
struct App {
    reader: Arc<Mutex<Connection>>,
    writer: mpsc::Sender<Wish>,
}

fn open(folder: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(folder.join("notes.sqlite"))?;
    connection.execute_batch(SETTINGS)?;
    Ok(connection)
}

/// Serves until the process ends.
pub(super) async fn serve(port: u16, folder: &Path) -> Result<(), Failure> {
    let mut to_write = open(folder)?;
    let reader = Arc::new(Mutex::new(open(folder)?));
    let (writer, wishes) = mpsc::channel();
    std::thread::spawn(move || write(&mut to_write, &wishes));
    let app = Router::new()
        .route("/", get(page))
        .route("/api/notes", post(create))
        .with_state(App { reader, writer });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, app).await?)
}

fn write(db: &mut Connection, wishes: &mpsc::Receiver<Wish>) {
    while let Ok(first) = wishes.recv() {
        let mut group = vec![first];
        group.extend(wishes.try_iter().take(GROUP - 1));
        let (notes, answers): (Vec<NewNote>, Vec<_>) = group.into_iter().unzip();
        let saved = save(db, &notes);
        for (n, answer) in answers.into_iter().enumerate() {
            let id = match &saved {
                Ok(ids) => ids
                    .get(n)
                    .copied()
                    .ok_or(rusqlite::Error::QueryReturnedNoRows),
                Err(_) => Err(rusqlite::Error::ExecuteReturnedResults),
            };
            // Who asked may have gone.
            let _ = answer.send(id);
        }
    }
}

fn save(db: &mut Connection, notes: &[NewNote]) -> rusqlite::Result<Vec<i64>> {
    let transaction = db.transaction()?;
    let mut ids = Vec::with_capacity(notes.len());
    {
        let mut insert =
            transaction.prepare_cached("INSERT INTO note (title, body) VALUES (?, ?)")?;
        for note in notes {
            ids.push(insert.insert(params![note.title, note.body])?);
        }
    }
    transaction.commit()?;
    Ok(ids)
}

async fn create(
    State(app): State<App>,
    Json(note): Json<NewNote>,
) -> Result<(StatusCode, Json<Created>), StatusCode> {
    if note.title.is_empty() || note.title.chars().count() > 120 {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (answer, answered) = oneshot::channel();
    let gone = StatusCode::INTERNAL_SERVER_ERROR;
    app.writer.send((note, answer)).map_err(|_| gone)?;
    let id = answered.await.map_err(|_| gone)?.map_err(|_| gone)?;
    Ok((StatusCode::CREATED, Json(Created { id })))
}

async fn page(State(app): State<App>) -> Result<Html<String>, StatusCode> {
    let db = app.reader.lock().unwrap_or_else(PoisonError::into_inner);
    rendered(&db)
        .map(Html)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

fn rendered(db: &Connection) -> rusqlite::Result<String> {
    let mut latest =
        db.prepare_cached("SELECT title, body, done FROM note ORDER BY id DESC LIMIT 50")?;
    let mut rows = latest.query([])?;
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><title>Notes</title></head><body><h1>Latest notes</h1><ul>",
    );
    while let Some(row) = rows.next()? {
        let class = if row.get::<_, bool>(2)? {
            "done"
        } else {
            "open"
        };
        let title = escaped(row.get_ref(0)?.as_str()?);
        let body = escaped(row.get_ref(1)?.as_str_or_null()?.unwrap_or(""));
        // Writing into a string does not fail.
        let _ = write!(page, "<li class=\"{class}\"><b>{title}</b> {body}</li>");
    }
    page.push_str("</ul></body></html>");
    Ok(page)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
