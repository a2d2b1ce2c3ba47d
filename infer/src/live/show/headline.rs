//! The words of the head-up line: rates, times, age, counts, and what the user has chosen.
//! Not how they are drawn (`view::head`).

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::Display;
use crate::live::keys::View;
use crate::live::view::Head;

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(4);

impl Display {
    /// What stands above the panels now.
    pub(super) fn head(&mut self, now: Instant) -> Head {
        let mut words = self.words(now);
        words.push(match (self.look.view, self.look.highlight) {
            (View::Overlay, None) => format!("overlay {:.0} %", self.look.opacity * 100.0),
            (View::Overlay | View::Colours, Some(class)) => {
                let class = self.settings.painter.classes.get(usize::from(class));
                format!("class {}", class.map_or("?", |c| &c.name))
            }
            (View::Colours, None) => "colours".into(),
            (View::Photograph, _) => "photograph".into(),
            (View::Rare, _) => "rare classes".into(),
        });
        if self.look.zoom > 1 {
            words.push(format!("zoom {}", self.look.zoom));
        }
        words.push("H: keys".into());
        let notice = match (self.look.paused, self.ended) {
            (true, _) => Some("PAUSED: not the present. Space goes on, N takes a step".into()),
            (_, true) => Some("the source has ended; Q quits".into()),
            _ => self.shared.board.latest(now, NOTICE),
        };
        Head { words, notice }
    }

    /// Rates, times, age and counts, a word each.
    pub(super) fn words(&mut self, now: Instant) -> Vec<String> {
        let mut words = vec![format!("{:.1} fps", self.rate.per_second(now))];
        words.extend(self.stages.words().into_iter().map(|word| format!("{word} ms")));
        words.push(self.settings.provider.clone());
        if let Some(current) = &self.current {
            words.push(format!("age {} ms", self.age(current, now).as_millis()));
        }
        let dropped = (self.frames_dropped)() + self.results.dropped();
        let captured = self.shared.tally.captured.load(Relaxed);
        words.push(format!("dropped {dropped} of {captured}"));
        words
    }
}
