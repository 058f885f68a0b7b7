"""Object storage: pictures beside the database, in a folder or in a bucket."""
