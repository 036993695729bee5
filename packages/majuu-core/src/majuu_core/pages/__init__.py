"""What all pages for signed-in people share: layout, forms, style and headers."""
