//! Images in the terminal: what is drawn, and that nothing is drawn elsewhere.

use brandctl::domain::finding::Finding;
use brandctl::render::{self, picture};
use image::{Rgba, RgbaImage};

use super::fixture::{Brand, MANIFEST, found, png};

#[test]
fn two_pixels_share_a_cell_on_the_checkered_ground() {
    let mut image = RgbaImage::new(2, 3);
    image.put_pixel(0, 0, Rgba([255, 0, 0, 255]));
    image.put_pixel(1, 1, Rgba([0, 0, 255, 128]));
    assert_eq!(
        picture::cells(&image, 1),
        " \u{1b}[38;2;255;0;0m\u{1b}[48;2;153;153;153m▀\u{1b}[38;2;153;153;153m\u{1b}[48;2;76;76;204m▀\u{1b}[0m\n \
         \u{1b}[38;2;153;153;153m▀\u{1b}[38;2;153;153;153m▀\u{1b}[0m\n"
    );
}

#[test]
fn an_icon_is_whole_and_a_logo_is_made_smaller() {
    for (side, width, height) in [(24, 24, 12), (30, 30, 15), (60, 30, 15), (1000, 30, 15), (1, 1, 1)] {
        let cells = picture::cells(&RgbaImage::new(side, side), 0);
        assert_eq!(cells.lines().count(), height, "{side}");
        assert!(cells.lines().all(|line| line.matches('▀').count() == width), "{side}");
    }
    assert_eq!(picture::cells(&RgbaImage::new(1000, 1), 0).matches('▀').count(), 30);
}

#[test]
fn an_image_is_drawn_once_and_only_where_it_was_asked_for() {
    let about = |file: &str, what: &str| Finding::error("png-size", what).in_file(file);
    let validation = found(
        MANIFEST,
        vec![about("icons/call.png", "one"), about("icons/call.png", "two"), about("icons/fax.png", "three")],
    );
    let image = RgbaImage::from_pixel(24, 24, Rgba([1, 2, 3, 255]));
    let pictures = [("icons/call.png".to_owned(), image)].into();
    let shown = render::human::validation(&validation, &pictures, &brandctl::render::screen::Screen::default());
    assert_eq!(shown.matches('▀').count(), 24 * 12);
    assert!(shown.find("two").unwrap() < shown.find('▀').unwrap());
    assert!(shown.find('▀').unwrap() < shown.find("three").unwrap());
}

#[test]
fn pipes_get_no_picture_even_in_colour() {
    let brand = Brand::new();
    brand.write("icons/call.png", png(32, [20, 30, 140], false));
    for arguments in [&[][..], &["--color", "always"], &["--color", "never"]] {
        let (_, text) = brand.validate(arguments);
        assert!(text.contains("png-size") && !text.contains('▀'), "{text}");
    }
}
