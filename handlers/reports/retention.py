"""How long are thought reports kept? As long as reports.toml says: then text, files and comments are deleted.

个人信息保护法 19: no longer than their purpose needs. Those of people who are on their way into the Party stay until
they have arrived: they belong to the file of their admission.
"""

from __future__ import annotations

from datetime import datetime

from handlers.months import months_later
from handlers.reports.table import table
from handlers.rights import today
from storage import audit, files, reports, settings
from storage.audit import OPERATOR
from storage.house import Tx
from storage.reports import SUBJECT

LOOKED = "reports.retention"
"""When it was last looked at: once a day."""
BATCH = 100
ON_THEIR_WAY = ("入党申请人", "入党积极分子", "发展对象", "预备党员")


def due(tx: Tx, now: datetime) -> int:
    """Delete a batch of what has been kept long enough; how many reports. Looks once a day, until nothing is left."""
    years, day = table(tx.house.rules).keep_years, today(tx, now)
    if not years or settings.get(tx, LOOKED) == str(day):
        return 0
    before = now.replace(hour=0, minute=0, second=0, microsecond=0) - (day - months_later(day, -12 * years))
    old = reports.older(tx, before, but=ON_THEIR_WAY, most=BATCH)
    for report_id in old:
        files.drop_of(tx, SUBJECT, report_id)
    reports.delete_all(tx, old)
    if old:
        audit.record(tx, now, OPERATOR, "report.purge", "reports", reports=len(old), before=before)
    if len(old) < BATCH:
        settings.put(tx, LOOKED, str(day))
    return len(old)
