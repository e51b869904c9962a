-- What `wrk` sends to create a note. Must stay true: it is what `pages/notes.flin` takes.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"title":"Milk & bread","body":"two litres of what is to be had"}'
