//! Dragging with the mouse. Here because a browser takes the mouse away from the page while something is dragged. Must stay
//! true: the page gets the events that it gets from a user, in their order.

use chromiumoxide::cdp::browser_protocol::input::{
    DispatchDragEventParams, DispatchDragEventType, DispatchMouseEventParams,
    DispatchMouseEventType, DragData, DragDataItem, EventDragIntercepted, MouseButton,
    SetInterceptDragsParams,
};
use futures_util::StreamExt;

use crate::{Tab, in_time};

/// What is being dragged, and where it is.
#[derive(Debug)]
pub struct Drag<'a> {
    tab: &'a Tab,
    data: DragData,
    at: (f64, f64),
}

impl Tab {
    /// Takes hold of the first element that matches and begins to drag it.
    ///
    /// # Panics
    /// When it cannot be dragged.
    pub async fn drag(&self, selector: &str) -> Drag<'_> {
        self.command(SetInterceptDragsParams::new(true)).await;
        let mut begun = self
            .page
            .event_listener::<EventDragIntercepted>()
            .await
            .expect("drags are told");
        let (x, y) = self.middle_of(selector).await;
        self.mouse(DispatchMouseEventType::MouseMoved, (x, y)).await;
        self.mouse(DispatchMouseEventType::MousePressed, (x, y))
            .await;
        for step in [4.0, 12.0, 20.0] {
            self.mouse(DispatchMouseEventType::MouseMoved, (x + step, y))
                .await;
        }
        let event = in_time("a drag begins", begun.next()).await;
        let mut data = event.expect("a drag begins").data.clone();
        if data.items.is_empty() {
            // The driver would leave an empty list out, and the browser insists on one.
            data.items.push(DragDataItem::new("text/plain", ""));
        }
        Drag {
            tab: self,
            data,
            at: (x, y),
        }
    }

    async fn mouse(&self, kind: DispatchMouseEventType, (x, y): (f64, f64)) {
        let event = DispatchMouseEventParams::builder()
            .r#type(kind)
            .x(x)
            .y(y)
            .button(MouseButton::Left)
            .buttons(1)
            .click_count(1)
            .build()
            .expect("a mouse event");
        self.command(event).await;
    }
}

impl Drag<'_> {
    /// Moves over the first element that matches.
    ///
    /// # Panics
    /// When there is none.
    pub async fn over(&mut self, selector: &str) {
        self.at = self.tab.middle_of(selector).await;
        self.tell(DispatchDragEventType::DragEnter).await;
        self.tell(DispatchDragEventType::DragOver).await;
        self.tell(DispatchDragEventType::DragOver).await;
    }

    /// Lets go.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn drop_here(self) {
        self.tell(DispatchDragEventType::Drop).await;
        self.tab
            .mouse(DispatchMouseEventType::MouseReleased, self.at)
            .await;
        self.tab.command(SetInterceptDragsParams::new(false)).await;
    }

    async fn tell(&self, kind: DispatchDragEventType) {
        let (x, y) = self.at;
        let event = DispatchDragEventParams::new(kind, x, y, self.data.clone());
        self.tab.command(event).await;
    }
}
