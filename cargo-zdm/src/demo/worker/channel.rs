//! The two pipes of a process under load.
//!
//! Comes in: lines on stdin. Goes out: lines on stdout. The process ends with its input, and when nobody reads its output.
//! Must not know: what the messages are about.

use std::io::{BufRead as _, Write as _};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::super::message::{Assignment, Event, Order};

/// Orders in, events out.
#[derive(Debug)]
pub(super) struct Channel {
    orders: UnboundedReceiver<Order>,
    events: std::io::Stdout,
}

impl Channel {
    /// Reads the assignment and listens from then on.
    pub(super) fn open() -> Result<(Assignment, Self), String> {
        let mut lines = std::io::stdin().lock().lines();
        let first = lines
            .next()
            .ok_or("no assignment came")?
            .map_err(|error| error.to_string())?;
        let assignment = serde_json::from_str(&first).map_err(|error| error.to_string())?;
        drop(lines);
        let (sender, orders) = unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let order = line.map_err(|error| error.to_string()).and_then(|line| {
                    serde_json::from_str(&line).map_err(|error| error.to_string())
                });
                match order {
                    Ok(order) if sender.send(order).is_ok() => {}
                    Ok(_) => return,
                    Err(error) => {
                        eprintln!("an order is not understood: {error}");
                        std::process::exit(3);
                    }
                }
            }
            // Whoever started this process is gone, and nobody would end it.
            std::process::exit(0);
        });
        let events = std::io::stdout();
        Ok((assignment, Self { orders, events }))
    }

    /// The next order, if one has come.
    pub(super) fn order(&mut self) -> Option<Order> {
        self.orders.try_recv().ok()
    }

    /// Waits for the next order; `None` once no more can come.
    pub(super) async fn next_order(&mut self) -> Option<Order> {
        self.orders.recv().await
    }

    /// Tells of an event.
    pub(super) fn tell(&self, event: &Event) {
        let told = serde_json::to_string(event)
            .map_err(std::io::Error::other)
            .and_then(|line| writeln!(self.events.lock(), "{line}"));
        if let Err(error) = told {
            eprintln!("nobody listens any more: {error}");
            std::process::exit(3);
        }
    }
}
