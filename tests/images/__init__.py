"""Pictures: every form, format and size they are sent in, and what is stored of them."""
