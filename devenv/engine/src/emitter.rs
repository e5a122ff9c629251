use devenv_model::event::Event;
use tokio::sync::mpsc;

/// The one way out for news: logic emits, the command line renders.
#[derive(Debug, Clone)]
pub struct Emitter(mpsc::UnboundedSender<Event>);

impl Emitter {
    /// An emitter and the end at which its events come out, in order.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Never blocks and never fails: news that nobody reads any more is dropped.
    pub fn emit(&self, event: Event) {
        let _ = self.0.send(event);
    }

    pub fn notice(&self, message: impl Into<String>) {
        self.emit(Event::Notice { message: message.into() });
    }
}
