//! The window: pictures in, keys out. The only file that uses minifb, and none of it is tested by machine
//! but for the names of keys; what is shown is `view`'s, what keys mean is `keys`'.
//! The picture is drawn at the window's own size, so that nothing is stretched when it is resized.

use std::cell::RefCell;
use std::rc::Rc;

use image::RgbImage;
use minifb::{InputCallback, Key, ScaleMode, WindowOptions};
use shared::error::{Error, Result};

use super::keys::{Action, KEYS};

/// An open window.
pub struct Window {
    window: minifb::Window,
    pixels: Vec<u32>,
    pressed: Rc<RefCell<Vec<Key>>>,
}

/// Hears every key, also one that is pressed and released while a picture is being drawn.
struct Listener {
    pressed: Rc<RefCell<Vec<Key>>>,
    /// Keys that are down: one that is held acts once.
    down: Vec<Key>,
}

impl InputCallback for Listener {
    fn add_char(&mut self, _: u32) {}

    fn set_key_state(&mut self, key: Key, down: bool) {
        let held = self.down.contains(&key);
        self.down.retain(|&other| other != key);
        if down {
            self.down.push(key);
            if !held {
                self.pressed.borrow_mut().push(key);
            }
        }
    }
}

/// Smallest side that is drawn, in pixels.
const SMALLEST: usize = 64;

impl Window {
    /// Opens a window of this size.
    ///
    /// # Errors
    /// No display to open it on (exit code 2).
    pub fn open(title: &str, (width, height): (u32, u32)) -> Result<Self> {
        // Upper left: while it is being resized the last picture stands still until the next is drawn.
        let scale_mode = ScaleMode::UpperLeft;
        let options = WindowOptions { resize: true, scale_mode, ..WindowOptions::default() };
        let window = minifb::Window::new(title, width as usize, height as usize, options);
        let mut window = window.map_err(|e| {
            Error::request(format!("window: expected a display, got none: {e}"))
                .hint("--headless needs none; --record and --sink work with it")
        })?;
        window.set_target_fps(0); // the loop around it waits for results, not for the window
        let pressed = Rc::default();
        let listener = Listener { pressed: Rc::clone(&pressed), down: Vec::new() };
        window.set_input_callback(Box::new(listener));
        Ok(Self { window, pixels: Vec::new(), pressed })
    }

    /// Width and height inside, in pixels.
    pub fn size(&self) -> (u32, u32) {
        let (width, height) = self.window.get_size();
        (width.max(SMALLEST) as u32, height.max(SMALLEST) as u32)
    }

    /// Whether the user has not closed it.
    pub fn is_open(&self) -> bool {
        self.window.is_open()
    }

    /// Shows a picture.
    ///
    /// # Errors
    /// A display that has gone away.
    pub fn show(&mut self, picture: &RgbImage) -> Result<()> {
        let pack = |&[r, g, b]: &[u8; 3]| u32::from_be_bytes([0, r, g, b]);
        self.pixels.clear();
        self.pixels.extend(picture.as_chunks::<3>().0.iter().map(pack));
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        self.window
            .update_with_buffer(&self.pixels, width, height)
            .map_err(|e| Error::work(format!("window: {e}")))
    }

    /// Lets the window take notice of the user, and gives the keys pressed since the last time.
    pub fn actions(&mut self) -> Vec<Action> {
        self.window.update();
        self.pressed.take().into_iter().filter_map(action).collect()
    }
}

fn action(key: Key) -> Option<Action> {
    let name = cap(key)?;
    KEYS.iter().find(|(cap, ..)| *cap == name).map(|&(_, action, _)| action)
}

/// What stands on the cap of a key that has a meaning.
fn cap(key: Key) -> Option<&'static str> {
    Some(match key {
        Key::Space => "Space",
        Key::N => "N",
        Key::V => "V",
        Key::RightBracket => "]",
        Key::LeftBracket => "[",
        Key::C => "C",
        Key::X => "X",
        Key::A => "A",
        Key::Z => "Z",
        Key::Left => "Left",
        Key::Right => "Right",
        Key::Up => "Up",
        Key::Down => "Down",
        Key::S => "S",
        Key::H => "H",
        Key::Q => "Q",
        Key::Escape => "Esc",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_help_exists_on_the_keyboard() {
        let keys: Vec<Key> = (0..Key::Count as usize).filter_map(by_number).collect();
        let caps: Vec<&str> = keys.iter().filter_map(|&key| cap(key)).collect();
        for (name, ..) in KEYS {
            assert!(caps.contains(&name), "{name}");
        }
        assert_eq!(action(Key::Q), Some(Action::Quit));
        assert_eq!(action(Key::F12), None);
    }

    #[test]
    fn a_key_that_is_held_acts_once_and_a_short_press_is_not_lost() {
        let pressed: Rc<RefCell<Vec<Key>>> = Rc::default();
        let mut listener = Listener { pressed: Rc::clone(&pressed), down: Vec::new() };
        for (key, down) in [(Key::H, true), (Key::H, true), (Key::S, true), (Key::S, false)] {
            listener.set_key_state(key, down);
        }
        assert_eq!(pressed.take(), [Key::H, Key::S]);
        listener.set_key_state(Key::H, false);
        listener.set_key_state(Key::H, true);
        assert_eq!(pressed.take(), [Key::H]);
    }

    /// minifb has no list of its keys; those that `cap` may know are these.
    fn by_number(i: usize) -> Option<Key> {
        let keys = [
            Key::Space,
            Key::N,
            Key::V,
            Key::RightBracket,
            Key::LeftBracket,
            Key::C,
            Key::X,
            Key::A,
            Key::Z,
            Key::Left,
            Key::Right,
            Key::Up,
            Key::Down,
            Key::S,
            Key::H,
            Key::Q,
            Key::Escape,
        ];
        keys.get(i).copied()
    }
}
