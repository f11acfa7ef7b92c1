from django.db import migrations
from truing.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("annotation", "0004_trust_and_care")]
    operations = [append_only("annotation_comment")]
