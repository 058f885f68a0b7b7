"""Values that a database keeps."""

from sqlalchemy import bindparam, select

from runware_mock.storage.statements.inserts import insert_unless_there
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import secret

ADD = Statement(insert_unless_there(secret, "name"), ("name", "value"))
FIND = Statement(select(secret.c.value).where(secret.c.name == bindparam("name")))
