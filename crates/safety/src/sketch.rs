//! How many different people did something, without a list of them: a bit for each, at a place that a secret hash gives.
//! Several people share a bit, so that a bit tells of nobody in particular.

/// Bits of a sketch. Of some 50 people hardly any share one, and of many thousands, whom a bit may stand for, many do.
const BITS: usize = 1024;

/// How many different people. It cannot be asked who.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sketch([u64; BITS / 64]);

impl Sketch {
    /// Notes a person by a hash of their name.
    pub fn note(&mut self, hash: u64) {
        let (word, bit) = place(hash);
        self.0[word] |= bit;
    }

    /// Both together; who is in both counts once.
    pub fn or(self, other: Self) -> Self {
        let mut both = self;
        both.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        both
    }

    /// At least how many people were noted: the bits that are set. (An estimate that makes up for shared bits may be too
    /// high, and a rule that says "from so many people" would act on fewer.)
    pub fn people(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

fn place(hash: u64) -> (usize, u64) {
    let place = (hash % BITS as u64) as usize;
    (place / 64, 1 << (place % 64))
}

/// Bits of a filter, and how many of them one person has.
const FILTER_BITS: u64 = 4096;
const EACH: u32 = 4;

/// Whom an account came to: it says of hardly anybody that they were there who was not (of fewer than one in a hundred,
/// where 300 were), and cannot be asked who. Some half a kilobyte.
#[derive(Clone, Copy)]
pub(crate) struct Filter([u64; FILTER_BITS as usize / 64]);

impl Filter {
    pub(crate) const fn new() -> Self {
        Self([0; FILTER_BITS as usize / 64])
    }

    /// Notes a person by a hash of their name.
    pub(crate) fn note(&mut self, hash: u64) {
        places(hash).for_each(|(word, bit)| self.0[word] |= bit);
    }

    /// Whether this person was noted, or others who have all of their bits.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        places(hash).all(|(word, bit)| self.0[word] & bit != 0)
    }
}

fn places(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    let bits = FILTER_BITS.ilog2();
    (0..EACH).map(move |n| {
        let place = hash >> (n * bits) & (FILTER_BITS - 1);
        ((place / 64) as usize, 1 << (place % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn sketch(people: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        people.iter().for_each(|hash| sketch.note(*hash));
        sketch
    }

    proptest! {
        #[test]
        fn it_never_counts_more_people_than_there_were(people in vec(any::<u64>(), 0..400)) {
            let counted = sketch(&people).people() as usize;
            prop_assert!(counted <= people.len() && counted <= BITS);
            prop_assert_eq!(counted == 0, people.is_empty());
        }

        /// By chance 50 have some 49 bits, and hardly ever fewer than 43.
        #[test]
        fn of_a_few_people_it_misses_few(people in prop::collection::hash_set(any::<u64>(), 1..50)) {
            let people: Vec<_> = people.into_iter().collect();
            prop_assert!(sketch(&people).people() as usize + 7 >= people.len());
        }

        #[test]
        fn more_people_never_count_less(people in vec(any::<u64>(), 0..300), one in any::<u64>()) {
            let before = sketch(&people);
            let mut after = before;
            after.note(one);
            prop_assert!(after.people() >= before.people());
        }

        /// Of 10 000 others some 40 pass for one of 300.
        #[test]
        fn a_filter_holds_all_who_were_noted_and_hardly_anybody_else(
            people in prop::collection::hash_set(any::<u64>(), 0..=300), others in vec(any::<u64>(), 10_000),
        ) {
            let mut filter = Filter::new();
            people.iter().for_each(|hash| filter.note(*hash));
            prop_assert!(people.iter().all(|hash| filter.may_hold(*hash)));
            let held = others.iter().filter(|hash| filter.may_hold(**hash)).count();
            prop_assert!(held < 100, "{held}");
        }

        #[test]
        fn together_is_as_if_all_were_noted_in_one(
            some in vec(any::<u64>(), 0..100), others in vec(any::<u64>(), 0..100),
        ) {
            let both = sketch(&some).or(sketch(&others));
            prop_assert_eq!(both, sketch(&[some.clone(), others].concat()));
            prop_assert_eq!(both.or(sketch(&some)), both);
        }
    }
}
