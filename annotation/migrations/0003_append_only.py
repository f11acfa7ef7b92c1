from django.db import migrations
from truing.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_initial")]
    operations = [append_only("annotation_annotation"), append_only("annotation_datasetversion")]
