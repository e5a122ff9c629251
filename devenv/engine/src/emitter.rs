use devenv_model::event::Event;
use tokio::sync::mpsc;

/// The only output of a command's logic: it emits events, and the command line renders them.
#[derive(Debug, Clone)]
pub struct Emitter(mpsc::UnboundedSender<Event>);

impl Emitter {
    /// An emitter, and the receiver of its events, in order.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Never blocks and never fails: without a receiver, the event is dropped.
    pub fn emit(&self, event: Event) {
        let _ = self.0.send(event);
    }

    pub fn notice(&self, message: impl Into<String>) {
        self.emit(Event::Notice { message: message.into() });
    }
}
