"""Makes a fresh Tryton database usable: one company, the administrator in it, and a key for the REST API.

Run by servers.sh with the path of trytond.conf; prints the key and the company's id.
"""

import sys

from proteus import Model, config

config.set_trytond(database="erp", user="admin", config_file=sys.argv[1])

# these tools read the configuration when they are loaded
from trytond.modules.company.tests.tools import create_company, get_company  # noqa: E402
from trytond.modules.currency.tests.tools import get_currency  # noqa: E402

create_company(currency=get_currency("EUR"))
company = get_company()
(admin,) = Model.get("res.user").find([("login", "=", "admin")])
application = Model.get("res.user.application")(user=admin, application="rest")
application.save()
assert application.state == "validated", application.state
print(application.key, company.id)
