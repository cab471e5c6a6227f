"""Makes a fresh Tryton database usable: one company that can invoice, the administrator in it, and a key for the REST API.

Run by servers.sh with the path of trytond.conf; prints the key and the company's id.
"""

import datetime
import sys
from decimal import Decimal

from proteus import Model, config

connected = config.set_trytond(database="erp", user="admin", config_file=sys.argv[1])

# these tools read the configuration when they are loaded
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax  # noqa: E402
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences  # noqa: E402
from trytond.modules.company.tests.tools import create_company, get_company  # noqa: E402
from trytond.modules.currency.tests.tools import get_currency  # noqa: E402

create_company(currency=get_currency("EUR"))
company = get_company()
User = Model.get("res.user")
(admin,) = User.find([("login", "=", "admin")])

# accounts belong to a company: from here on we work in ours
connected._context = User.get_preferences(True, connected.context)
create_chart(company)
# an invoice is posted into the period of its date; at the turn of the year the next one is needed
this_year = datetime.date.today().year
for year in (this_year, this_year + 1):
    days = (datetime.date(year, 1, 1), datetime.date(year, 12, 31))
    set_fiscalyear_invoice_sequences(create_fiscalyear(company, days)).click("create_period")
tax = create_tax(Decimal(".255"), company)
tax.name = tax.description = "25.5 %"
tax.save()

application = Model.get("res.user.application")(user=admin, application="rest")
application.save()
assert application.state == "validated", application.state
print(application.key, company.id)
