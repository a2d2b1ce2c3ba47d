//! What to do about label values that a descriptor does not have, judged by all the values found.
//! Not certain: each rule says what such values look like, and the change that would take them.
//! Train ids in the place of others come first, and are `mixup`'s.

use super::descriptor::{Descriptor, LabelForm};
use super::file::Ids;
use super::mixup;
use super::values::{Found, Value, name, text};
use crate::labels::IGNORE;

/// Unknown colours that are compared with the known ones: the most frequent.
const COMPARED: usize = 64;

/// Unknown values from which on labels look smoothed.
const MANY: usize = 8;

/// The advice that fits best.
pub(super) fn hint(d: &Descriptor, form: &LabelForm, found: &Found) -> String {
    let rules = [mixup::hint, scaled, mask, smoothed, colors, shifted, unlabelled];
    let fits = rules.iter().find_map(|rule| rule(d, form, found));
    fits.unwrap_or_else(|| {
        let own = "values that are meant to take no part belong to the descriptor's `ignored`";
        match form.ids {
            Ids::Native if mixup::only_train_ids(d, found) => {
                format!("{own}; files of train ids need ids = \"train\"")
            }
            _ => own.into(),
        }
    })
}

/// 8 bits spread over 16: times 257, or shifted by a byte.
fn scaled(_: &Descriptor, form: &LabelForm, found: &Found) -> Option<String> {
    let numbers: Vec<u16> = found.numbers().collect();
    let fits = |factor: u16| {
        let known = |&n: &u16| n % factor == 0 && form.mapping.get(n / factor).is_some();
        numbers.iter().any(|&n| n > 255) && numbers.iter().all(known)
    };
    let factor = [257, 256].into_iter().find(|&factor| fits(factor))?;
    Some(format!(
        "these are {factor} times the values of 8 bits: a conversion to 16 bits scaled them; \
         write labels of 8 bits, or divide by {factor}"
    ))
}

/// Black and white where 0 and 1 are expected, and the reverse.
fn mask(d: &Descriptor, form: &LabelForm, found: &Found) -> Option<String> {
    if form.ids != Ids::Native {
        return None;
    }
    let only = |two: [u16; 2]| {
        found.numbers().all(|n| two.contains(&n)) && found.numbers().any(|n| n == two[1])
    };
    let class = |value: u16| form.mapping.get(value).filter(|&id| id != IGNORE);
    let named = |id: u8| d.classes.get(usize::from(id)).map_or("?", |class| class.name.as_str());
    if only([0, 255]) && form.mapping.get(255).is_none() {
        let change = match class(1) {
            Some(id) => format!("class {} needs native = 255 for such files", named(id)),
            None => "one class needs native = 255, and 0 is the background".into(),
        };
        return Some(format!("0 and 255 alone are a mask, black and white: {change}"));
    }
    if only([0, 1]) && form.mapping.get(1).is_none() {
        let change = match class(255) {
            Some(id) => format!("class {} needs native = 1 for such files", named(id)),
            None => "one class needs native = 1, and 0 is the background".into(),
        };
        return Some(format!("0 and 1 alone are a mask, such as files of 1 bit hold: {change}"));
    }
    None
}

/// Many numbers that nobody knows: edges that were smoothed, or a picture.
fn smoothed(_: &Descriptor, form: &LabelForm, found: &Found) -> Option<String> {
    let meant = |value: Value| form.mapping.id(value).is_some() || value == Value::Number(255);
    let unknown = found.unknown(form).into_iter().map(|v| v.0).filter(|&v| !meant(v));
    let unknown: Vec<Value> = unknown.filter(|v| matches!(v, Value::Number(_))).collect();
    if unknown.len() < MANY {
        return None;
    }
    let words = if found.share(meant) >= 0.5 {
        "so many values between the others come of smoothed (anti-aliased) edges, of resizing, or of a \
         format with losses: draw labels without smoothing, resize them by nearest, and keep them as PNG"
    } else {
        "so many values are a picture's, not a label's: do the descriptor's patterns name the right files?"
    };
    Some(words.into())
}

/// Colours between known ones, near known ones, or with red and blue exchanged.
fn colors(d: &Descriptor, form: &LabelForm, found: &Found) -> Option<String> {
    let unknown: Vec<([u8; 3], u64)> = found
        .unknown(form)
        .into_iter()
        .filter_map(|(value, n)| match value {
            Value::Color(c) => Some((c, n)),
            Value::Number(_) => None,
        })
        .take(COMPARED)
        .collect();
    let total: u64 = unknown.iter().map(|u| u.1).sum();
    let mut known: Vec<[u8; 3]> = form.mapping.colors().collect();
    known.sort_unstable();
    let mostly = |fits: &dyn Fn([u8; 3]) -> bool| {
        let pixels: u64 = unknown.iter().filter(|u| fits(u.0)).map(|u| u.1).sum();
        total > 0 && 5 * pixels >= 4 * total
    };
    let named = |color: [u8; 3]| {
        let value = Value::Color(color);
        form.mapping.id(value).map_or("?".into(), |id| name(d, form, value, id))
    };
    let first = unknown.first()?.0;
    if mostly(&|[r, g, b]| known.contains(&[b, g, r])) {
        return Some("red and blue are exchanged (BGR): write the labels as RGB".into());
    }
    let near = |c: [u8; 3]| known.iter().copied().find(|&k| distance(c, k) <= 12);
    if mostly(&|c| near(c).is_some()) {
        let close = near(first)
            .map_or(String::new(), |k| format!(", as {first:?} is {}'s {k:?}", named(k)));
        return Some(format!(
            "colours close to known ones{close}: a format with losses (JPEG) changed them; write PNG from the start"
        ));
    }
    let between = |c: [u8; 3]| {
        let pairs =
            known.iter().enumerate().flat_map(|(i, &a)| known[..i].iter().map(move |&b| (b, a)));
        pairs.into_iter().find(|&(a, b)| blended(c, a, b))
    };
    if mostly(&|c| between(c).is_some() || near(c).is_some()) {
        let example = unknown.iter().find_map(|u| Some((u.0, between(u.0)?)));
        let example = example.map_or(String::new(), |(c, (a, b))| {
            format!(", as {c:?} between {} and {}", named(a), named(b))
        });
        return Some(format!(
            "colours between known ones{example}: smoothed (anti-aliased) edges, or resizing, blended them; \
             draw labels without smoothing, and resize them by nearest"
        ));
    }
    None
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u8 {
    (0..3).map(|i| a[i].abs_diff(b[i])).max().unwrap_or(0)
}

/// Whether `c` lies on the line from `a` to `b`, but for rounding.
fn blended(c: [u8; 3], a: [u8; 3], b: [u8; 3]) -> bool {
    let [c, a, b] = [c, a, b].map(|color| color.map(f64::from));
    let along: f64 = (0..3).map(|i| (b[i] - a[i]) * (c[i] - a[i])).sum();
    let length: f64 = (0..3).map(|i| (b[i] - a[i]) * (b[i] - a[i])).sum();
    let t = along / length;
    t > 0.0 && t < 1.0 && (0..3).all(|i| (a[i] + t * (b[i] - a[i]) - c[i]).abs() <= 2.5)
}

/// Ids that begin at 1 where 0 is expected, and the reverse.
fn shifted(d: &Descriptor, form: &LabelForm, found: &Found) -> Option<String> {
    if form.ids != Ids::Native {
        return None;
    }
    let class = |v: u16| form.mapping.get(v).is_some_and(|id| id != IGNORE);
    let count = d.num_classes() as u16;
    let unknown: Vec<u16> = found.numbers().filter(|&n| form.mapping.get(n).is_none()).collect();
    let from = |first: u16| (first..first + count).all(class);
    if from(0) && unknown == [count] {
        let first = &d.classes.first()?.name;
        return Some(if found.numbers().any(|n| n == 0) {
            format!(
                "there is one value more than classes: where the ids begin at 1 and 0 is the background, {first} \
                 is native = 1, and 0 is a class of its own or ignored"
            )
        } else {
            format!("the ids seem to begin at 1: then {first} is native = 1, and so on")
        });
    }
    (from(1) && unknown == [0]).then(|| {
        "0 is often the background: a class of its own, or ignored; where the ids begin at 0, native = 0 is \
         the first class"
            .into()
    })
}

fn unlabelled(_: &Descriptor, form: &LabelForm, found: &Found) -> Option<String> {
    let unknown = found.unknown(form);
    (form.ids == Ids::Native && unknown.iter().map(|u| text(u.0)).eq(["255".to_string()])).then(|| {
        "values that are meant to take no part belong to the descriptor's `ignored`, as 255 often is: \
         ignored = [{ name = \"unlabelled\", native = 255 }]"
            .into()
    })
}
