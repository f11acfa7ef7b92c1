from django.db import migrations
from truing.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("alignment", "0002_initial")]
    operations = [append_only("alignment_promotion")]
