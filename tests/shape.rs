//! The shape of the house: arrows point down, and a job has one name in five places.

mod arrows;
mod names;
