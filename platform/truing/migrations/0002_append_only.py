from django.db import migrations
from truing.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("truing", "0001_initial")]
    operations = [append_only("truing_event")]
